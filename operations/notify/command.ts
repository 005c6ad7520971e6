import { readFileSync } from "node:fs";
import { UserError } from "../../lib/errors";
import type { Summary } from "../preview/impact/summary";
import type { Deployed } from "../../lib/reports";
import { masked, secretsOf } from "../preview/changes/values";
import { type Event, events, messageOf, type Notice } from "./slack-message";
import { send } from "./slack-webhook";

/** What `npm run notify` is told; the rest is in CircleCI's variables. */
export interface NotifyOptions {
  readonly causeFile?: string;
  readonly preview?: string;
  /**
   * The report of the command that changed the stack: `reports/deployed.json` or
   * `reports/removed.json`. If it is given and does not mention that stack, no message is sent.
   */
  readonly report?: string;
  readonly stack: string;
  /** What `npm run preview -- --format json` has written. */
  readonly summary?: string;
}

/** Page of a CircleCI workflow, with its approvals and the artifacts of its jobs. */
const workflows = "https://app.circleci.com/pipelines/workflows";

type Env = Readonly<Record<string, string | undefined>>;

/** A file of this run, where it was made: a job that failed early has not made all of them. */
function optionalFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Some of a report; nothing of one that is not there, or not whole. */
function read<Report>(file: string | undefined): Partial<Report> {
  try {
    return JSON.parse(optionalFile(file) ?? "{}") as Partial<Report>;
  } catch {
    return {};
  }
}

/**
 * The notice, from the options and CircleCI's variables: no command contains text from outside.
 * Pure, except for files.
 */
export function noticeOf(event: Event, options: NotifyOptions, env: Env): Notice {
  const cause = optionalFile(options.causeFile);
  const { headline } = read<Summary>(options.summary);
  const report = read<Deployed>(options.report);
  const { CANARY_BRANCH, CIRCLE_BRANCH, CIRCLE_WORKFLOW_ID: workflow = "", REVIEW_BRANCH } = env;
  // A canary's start and a teardown run on main, and are about another branch.
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

/**
 * Whether a report that was asked for tells of the stack: a job can run though the one before it
 * has failed.
 */
function isReported(event: Event, { report, stack }: NotifyOptions): boolean {
  if (report === undefined || (event !== "deployed" && event !== "removed")) return true;
  return read<{ readonly stack: string }>(report).stack === stack;
}

/**
 * `npm run notify -- EVENT --stack STACK`: tells Slack; ends with 0 also where Slack does not
 * listen.
 */
export async function notify(event: string, options: NotifyOptions): Promise<void> {
  if (!Object.hasOwn(events, event)) {
    throw new UserError(
      `"${event}" is not an event; allowed are ${Object.keys(events).join(", ")}`,
    );
  }
  if (!isReported(event as Event, options)) {
    process.stderr.write(
      `warning: ${options.report ?? ""} does not say that ${options.stack} ${events[event as Event].says}, so no message is sent\n`,
    );
    return;
  }
  const message = messageOf(noticeOf(event as Event, options, process.env));
  const warning = await send(process.env["SLACK_WEBHOOK_URL"], message);
  if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
}
