import { readFileSync } from "node:fs";
import { UserError } from "../../lib/errors";
import type { Summary } from "../preview/impact/summary";
import type { Deployed } from "../../lib/reports";
import { masked, secretsOf } from "../preview/changes/values";
import { type Event, events, messageOf, type Notice } from "./slack-message";
import { send } from "./slack-webhook";

/** Options of `npm run notify`. The rest comes from CircleCI's variables. */
export interface NotifyOptions {
  readonly causeFile?: string;
  readonly preview?: string;
  /**
   * Report of the command that changed the stack: `reports/deployed.json` or
   * `reports/removed.json`. If it is given and is about another stack, no message is sent.
   */
  readonly report?: string;
  readonly stack: string;
  /** Output file of `npm run preview -- --format json`. */
  readonly summary?: string;
}

/** CircleCI's page of a workflow, with its approvals and the artifacts of its jobs. */
const workflows = "https://app.circleci.com/pipelines/workflows";

type Env = Readonly<Record<string, string | undefined>>;

/** Content of a file, or undefined if it does not exist: a job that failed early wrote no file. */
function optionalFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** A report. If the file is missing or incomplete, the report is empty. */
function read<Report>(file: string | undefined): Partial<Report> {
  try {
    return JSON.parse(optionalFile(file) ?? "{}") as Partial<Report>;
  } catch {
    return {};
  }
}

/**
 * The notice, from the options and CircleCI's variables.
 * Text from outside never appears in a command. Reads files; otherwise pure.
 */
export function noticeOf(event: Event, options: NotifyOptions, env: Env): Notice {
  const cause = optionalFile(options.causeFile);
  const { headline } = read<Summary>(options.summary);
  const report = read<Deployed>(options.report);
  const { CANARY_BRANCH, CIRCLE_BRANCH, CIRCLE_WORKFLOW_ID: workflow = "", REVIEW_BRANCH } = env;
  // Starting a canary and removing a review stack run on main, but concern another branch.
  const branch = [CANARY_BRANCH, REVIEW_BRANCH, CIRCLE_BRANCH].find((name = "") => name !== "");
  const optional = {
    branch,
    cause: event === "failed" ? cause : undefined,
    changed: headline ?? report.changed,
    commit: branch === CIRCLE_BRANCH ? env["CIRCLE_SHA1"] : undefined,
    duration: env["CANARY_DURATION"],
    job: env["CIRCLE_BUILD_URL"],
    percent: env["CANARY_PERCENT"],
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
        : [[key, typeof value === "string" ? masked(value, secrets) : value] as const],
    ),
  );
  return { ...safe, event, stack: options.stack };
}

/** Whether the report, if given, is about the stack: a job can run after an earlier one failed. */
function isReported(event: Event, { report, stack }: NotifyOptions): boolean {
  if (report === undefined || (event !== "deployed" && event !== "removed")) return true;
  return read<{ readonly stack: string }>(report).stack === stack;
}

/** `npm run notify -- EVENT --stack STACK`: sends a message. Exit code 0 even if Slack fails. */
export async function notify(event: string, options: NotifyOptions): Promise<void> {
  if (!Object.hasOwn(events, event)) {
    throw new UserError(
      `Unknown event "${event}". Expected one of: ${Object.keys(events).join(", ")}`,
    );
  }
  if (!isReported(event as Event, options)) {
    process.stderr.write(
      `warning: no message sent, because ${options.report ?? ""} does not say that ${options.stack} ${events[event as Event].says}\n`,
    );
    return;
  }
  const message = messageOf(noticeOf(event as Event, options, process.env));
  const warning = await send(process.env["SLACK_WEBHOOK_URL"], message);
  if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
}
