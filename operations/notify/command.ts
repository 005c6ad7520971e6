import { readFileSync } from "node:fs";
import { UserError } from "../../lib/errors";
import type { Summary } from "../preview/impact/summary";
import type { Deployed } from "../../lib/reports";
import { masked, withoutSecrets } from "../../components/conventions/secrets/masked";
import { secretsOf } from "../preview/changes/values";
import { tellDrift } from "./drift";
import { type Event, events, messageOf, type Notice } from "./slack-message";
import { send } from "./slack-webhook";

/**
 * Options of `npm run notify`. Facts that are not in the options come from the environment
 * variables of the CircleCI job.
 */
export interface NotifyOptions {
  readonly causeFile?: string;
  readonly preview?: string;
  /**
   * For the events `deployed` and `removed`: the report of the command that changed the stack,
   * `reports/deployed.json` or `reports/removed.json`. If the file is missing or is about another
   * stack, the command sends no message. For the event `drift`: the output file of `npm run drift`.
   */
  readonly report?: string;
  readonly stack: string;
  /**
   * For the event `drift`: the file in which the command stores what earlier messages have
   * reported.
   */
  readonly told?: string;
  /** Output file of `npm run preview -- --format json`. */
  readonly summary?: string;
}

/**
 * Start of the URL of CircleCI's page about a workflow. This page shows the workflow's jobs and
 * approvals.
 */
const workflows = "https://app.circleci.com/pipelines/workflows";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Returns the content of a file. Undefined if the file cannot be read, for example because a job
 * failed before it wrote the file.
 */
function optionalFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Reads a report. Returns an empty report if the file is missing or does not contain complete JSON.
 */
function read<Report>(file: string | undefined): Partial<Report> {
  try {
    return JSON.parse(optionalFile(file) ?? "{}") as Partial<Report>;
  } catch {
    return {};
  }
}

/**
 * Creates the notice from the options and from the environment variables of the CircleCI job. So a
 * CI job does not have to put untrusted text, such as a branch's name, into a command line.
 */
export function noticeOf(event: Event, options: NotifyOptions, env: Env): Notice {
  const cause = optionalFile(options.causeFile);
  const { headline } = read<Summary>(options.summary);
  const report = read<Deployed>(options.report);
  const { CANARY_BRANCH, CIRCLE_BRANCH, CIRCLE_WORKFLOW_ID: workflow = "", REVIEW_BRANCH } = env;
  const { RECOVER_ACTION, RECOVER_REASON, RECOVER_TO } = env;
  // The pipelines that start a canary or remove a review stack run on main, but the message is
  // about another branch.
  const branch = [CANARY_BRANCH, REVIEW_BRANCH, CIRCLE_BRANCH].find((name = "") => name !== "");
  const optional = {
    action: RECOVER_ACTION,
    backTo: RECOVER_TO,
    branch,
    cause: event === "failed" ? cause : undefined,
    changed: headline ?? report.changed,
    commit: branch === CIRCLE_BRANCH ? env["CIRCLE_SHA1"] : env["CANARY_COMMIT"],
    duration: env["CANARY_DURATION"],
    job: env["CIRCLE_BUILD_URL"],
    percent: env["CANARY_PERCENT"],
    reason: RECOVER_REASON,
    preview: options.preview ?? env["CIRCLE_PULL_REQUEST"],
    seconds: report.seconds,
    url: report.url,
    who: env["CIRCLE_USERNAME"],
    workflow: workflow === "" ? "" : `${workflows}/${workflow}`,
  };
  const secrets = secretsOf(env);
  const safe = Object.fromEntries(
    Object.entries(optional).flatMap(([key, value]) =>
      value === undefined || value === ""
        ? []
        : [
            [
              key,
              typeof value === "string" ? withoutSecrets(masked(value, secrets)) : value,
            ] as const,
          ],
    ),
  );
  return { ...safe, event, stack: options.stack };
}

/**
 * Whether the command may send the message about this event. For `deployed` and `removed`, the
 * report must be about the stack. If an earlier job failed, the file with the report may be missing
 * or may be about another stack. Always true for other events, and if the command was called
 * without a report.
 */
function isReported(event: Event, { report, stack }: NotifyOptions): boolean {
  if (report === undefined || (event !== "deployed" && event !== "removed")) return true;
  return read<{ readonly stack: string }>(report).stack === stack;
}

/**
 * Event after a scheduled run of `npm run drift`. This event is not in `events`, because the
 * message depends on what earlier messages have reported.
 */
const driftEvent = "drift";

/**
 * `npm run notify -- EVENT --stack STACK`: sends a message to Slack. The exit code is 0 even if
 * Slack does not accept the message.
 *
 * @throws UserError for an unknown event
 */
export async function notify(event: string, options: NotifyOptions): Promise<void> {
  const webhook = process.env["SLACK_WEBHOOK_URL"];
  if (event === driftEvent) {
    const { report, told, ...rest } = options;
    const failed = { ...noticeOf("failed", rest, process.env), action: driftEvent };
    await tellDrift({ failed, report, secrets: secretsOf(process.env), told, webhook });
    return;
  }
  if (!Object.hasOwn(events, event)) {
    const expected = [...Object.keys(events), driftEvent, "jobs"].join(", ");
    throw new UserError(`Unknown event "${event}". Expected one of: ${expected}`);
  }
  if (!isReported(event as Event, options)) {
    process.stderr.write(
      `warning: no message sent, because ${options.report ?? ""} does not say that ${options.stack} ${events[event as Event].says}\n`,
    );
    return;
  }
  const message = messageOf(noticeOf(event as Event, options, process.env));
  const warning = await send(webhook, message);
  if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
}
