import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseReport } from "../drift/report";
import { masked } from "../../components/conventions/secrets/masked";
import { driftMessage } from "./drift-message";
import { type News, type Told, newsOf, nothingTold, parseTold } from "./drift-news";
import { type Message, messageOf, type Notice } from "./slack-message";
import { send } from "./slack-webhook";

/** Input of `npm run notify -- drift`. */
export interface DriftNoticeOptions {
  /** The notice to send if the comparison with the cluster failed. */
  readonly failed: Notice;
  /**
   * Output file of `npm run drift -- --output`. If the file is missing, is invalid or is about
   * another stack, the function treats the comparison with the cluster as failed.
   */
  readonly report?: string | undefined;
  readonly secrets: readonly string[];
  /**
   * File that stores what earlier messages have reported. If the file is missing or invalid, the
   * function treats every difference as new.
   *
   * @default undefined
   */
  readonly told?: string | undefined;
  readonly webhook: string | undefined;
}

/**
 * Largest file that this module reads, in bytes. The file that stores what earlier messages have
 * reported contains at most 1,000 differences. So the size of this file is usually at most one
 * third of the limit.
 */
const mostBytes = 1_000_000;

/**
 * Sends messages to Slack about a stack's drift: once about each new difference, once when a
 * difference is gone, and once when the comparison with the cluster begins to fail. If Slack does
 * not accept a message, the next message reports the same differences again. If Slack does not
 * accept a message, or if the file in `told` is invalid, the function prints a warning on standard
 * error. In both cases, the function throws no error.
 */
export async function tellDrift(options: DriftNoticeOptions): Promise<void> {
  const { failed, report: file, secrets, told: memory, webhook } = options;
  const { stack } = failed;
  const report = parseReport(limited(file) ?? "");
  const told = toldIn(memory);
  const { news, then } = newsOf(report?.stack === stack ? report : undefined, told);
  const message = messageFor(safe(news, secrets), failed);
  if (message === undefined) console.log(`Nothing new about the drift of ${stack}.`);
  const warning = message && (await send(webhook, message));
  if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
  // The command writes the file even if nothing is new, so that each run saves a new CI cache.
  // CircleCI deletes a cache 15 days after a job has saved it.
  if (memory !== undefined) keep(memory, warning === undefined ? then : told);
}

function messageFor(news: News, failed: Notice): Message | undefined {
  if (news.failed) return messageOf(failed);
  if (news.appeared.length + news.gone.length === 0) return undefined;
  return driftMessage(failed.stack, news, failed);
}

function safe({ appeared, failed, gone }: News, secrets: readonly string[]): News {
  const all = (lines: readonly string[]) => lines.map((line) => masked(line, secrets));
  return { appeared: all(appeared), failed, gone: all(gone) };
}

function toldIn(memory: string | undefined): Told {
  const text = limited(memory);
  if (text === undefined) return nothingTold;
  const told = parseTold(text);
  if (told === undefined) {
    process.stderr.write(
      `warning: ${memory ?? ""} does not have the expected form: the message contains every difference again\n`,
    );
  }
  return told ?? nothingTold;
}

/**
 * Returns the text of a file. Empty if the file is too large. Undefined if the file cannot be read.
 */
function limited(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return statSync(file).size > mostBytes ? "" : readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function keep(memory: string, told: Told): void {
  mkdirSync(dirname(memory), { recursive: true });
  writeFileSync(memory, `${JSON.stringify(told, undefined, 2)}\n`);
}
