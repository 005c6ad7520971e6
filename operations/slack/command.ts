import { readFileSync } from "node:fs";
import { UserError } from "../../tools/progress";
import type { Summary } from "../preview/summary";
import type { Deployed } from "../reports";
import { masked, secretsOf } from "../preview/values";
import { type Event, events, messageOf, type Notice } from "./message";
import { send } from "./send";

/** What `npm run notify` is told; the rest is in CircleCI's variables. */
export interface NotifyOptions {
  readonly causeFile?: string;
  readonly preview?: string;
  /** What the command that changed the stack has left: `reports/deployed.json`. */
  readonly report?: string;
  readonly stack: string;
  /** What `npm run preview -- --format json` has written. */
  readonly summary?: string;
}

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

/** The notice, from what was told and CircleCI's variables: text from outside is in no command. Pure but for files. */
export function noticeOf(event: Event, options: NotifyOptions, env: Env): Notice {
  const cause = optionalFile(options.causeFile);
  const { headline } = read<Summary>(options.summary);
  const report = read<Deployed>(options.report);
  const optional = {
    branch: env["CIRCLE_BRANCH"],
    cause: event === "failed" ? cause : undefined,
    changed: headline ?? report.changed,
    commit: env["CIRCLE_SHA1"],
    job: env["CIRCLE_BUILD_URL"],
    preview: options.preview ?? env["CIRCLE_PULL_REQUEST"],
    seconds: report.seconds,
    url: report.url,
    who: env["CIRCLE_USERNAME"],
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

/** `npm run notify -- EVENT --stack STACK`: tells Slack; ends with 0 also where Slack does not listen. */
export async function notify(event: string, options: NotifyOptions): Promise<void> {
  if (!Object.hasOwn(events, event)) {
    throw new UserError(
      `"${event}" is nothing to tell; there are ${Object.keys(events).join(", ")}`,
    );
  }
  const message = messageOf(noticeOf(event as Event, options, process.env));
  const warning = await send(process.env["SLACK_WEBHOOK_URL"], message);
  if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
}
