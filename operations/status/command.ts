import { shortCommit, shortDigest } from "../../components/conventions/names";
import { UserError } from "../../lib/errors";
import { columns } from "../../lib/table";
import { duration, lifeLeft, moment } from "../../lib/time";
import type { Update } from "../history/updates";
import { timeIn } from "../jobs/due-times";
import type { JobStatus } from "../jobs/runs";
import { holderOf } from "../locks/unlock";
import { noSuchStack, stackNames } from "../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { textOf } from "../release/hold";
import type { RunningCanary } from "../stacks/running-canary";
import { type NotifierStatus, notifierLine } from "../notify/jobs/last-run";
import { type Known, type StackStatus, readStatus } from "./read";

export interface StatusOptions {
  /** Shows one line for each stack in the state backend. */
  readonly all?: boolean;
  readonly json?: boolean;
}

/**
 * `npm run status -- STACK`: prints what the stack runs, and the facts that a person needs before
 * the next deploy. `npm run status -- --all` prints one line for each stack.
 *
 * @throws UserError if the stack is unknown, if its settings are wrong, or if the state backend
 * does not answer.
 */
export async function status(
  stack: string | undefined,
  { all = false, json = false }: StatusOptions = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  if (all === (stack !== undefined)) {
    throw new UserError("Name a stack, or pass --all: npm run status -- STACK");
  }
  const names = await stackNames(workspace);
  if (stack !== undefined && !names.includes(stack)) throw noSuchStack(stack);
  const found: StackStatus[] = [];
  // The loop reads one stack after the other, because each read starts several Pulumi and kubectl
  // processes.
  for (const name of stack === undefined ? names : [stack]) {
    found.push(await readStatus(name, workspace));
  }
  if (json) console.log(JSON.stringify({ stacks: found, version: 1 }, orNull, 2));
  else if (stack === undefined) console.log(tableOf(found).join("\n"));
  else console.log(found.flatMap(linesOf).join("\n"));
}

/**
 * Returns null for an undefined value, such as the hold of a stack that no one holds. Otherwise,
 * the JSON output would not contain the property.
 */
const orNull = (_key: string, value: unknown): unknown => value ?? null;

/** Returns the lines that the command prints about one stack. */
function linesOf(status: StackStatus): readonly string[] {
  const { cluster, namespace, release, stack } = status;
  const url = "value" in release ? (release.value.url ?? "") : "";
  return [
    `Stack ${stack} in namespace ${namespace} of ${cluster}${url === "" ? "" : `: ${url}`}`,
    ...columns(rowsOf(status)).map((line) => `  ${line}`),
  ];
}

function rowsOf(status: StackStatus): readonly (readonly [string, string])[] {
  const { canary, drift, expires, hold, jobs, notifier, stack } = status;
  const command = (name: string) => `(npm run ${name} -- ${stack})`;
  return [
    ["release", said(status.release, releaseLine)],
    ["last update", said(status.lastUpdate, updateLine)],
    ["next release", said(status.promoted, (one) => (one ? releaseLine(one) : "none promoted"))],
    ["hold", said(hold, (one) => (one ? `${textOf(one)} ${command("resume")}` : "none"))],
    [
      "lock",
      said(status.locks, (all) =>
        all.length === 0 ? "none" : `${all.map(holderOf).join("; ")} ${command("unlock")}`,
      ),
    ],
    ["pods", said(status.pods, podsLine)],
    ...(canary ? [["canary", said(canary, canaryLine)] as const] : []),
    ...(jobs ? [["jobs", said(jobs, (all) => jobsLine(all, command("jobs")))] as const] : []),
    ...(notifier
      ? [["job notifier", said(notifier, (one) => notifierText(one, jobs))] as const]
      : []),
    ...(expires
      ? [["expiry", said(expires, (at) => (at ? lifeLeft(at) : "no namespace"))] as const]
      : []),
    [
      "drift",
      said(drift, (all) => (all.length === 0 ? "none" : `${differences(all)} ${command("drift")}`)),
    ],
  ];
}

/** Returns the lines of a table with one row for each stack. */
function tableOf(all: readonly StackStatus[]): readonly string[] {
  if (all.length === 0) return ["The state backend has no stacks."];
  const heading = ["stack", "commit", "last update", "pods", "jobs", "hold", "drift", "expiry"];
  return columns([heading, ...all.map(rowOf)]);
}

function rowOf(status: StackStatus): readonly string[] {
  const { drift, expires, hold, jobs, lastUpdate, locks, pods, release, stack } = status;
  const locked = "value" in locks && locks.value.length > 0;
  return [
    stack,
    said(release, ({ commit }) => (commit === undefined ? "-" : shortCommit(commit))),
    locked ? "locked" : said(lastUpdate, (one) => (one ? resultOf(one) : "-")),
    said(pods, (one) => (one ? `${String(one.ready)}/${String(one.wanted)}` : "none")),
    jobs === undefined ? "-" : said(jobs, troubles),
    said(hold, (one) => (one ? "held" : "-")),
    said(drift, (found) => (found.length === 0 ? "-" : String(found.length))),
    expires === undefined ? "-" : said(expires, (at) => (at ? lifeLeft(at) : "-")),
  ].map((cell) => (cell.startsWith("unknown: ") ? "unknown" : cell));
}

/** Formats a value. If the value could not be read, returns the reason. */
function said<Value>(what: Known<Value>, format: (value: Value) => string): string {
  return "value" in what ? format(what.value) : `unknown: ${what.unknown}`;
}

function releaseLine({
  branch = "unknown branch",
  commit,
  imageRef = "",
}: {
  readonly branch?: string;
  readonly commit?: string;
  readonly imageRef?: string;
}): string {
  if (commit === undefined) return "none: no update has succeeded";
  const digest = shortDigest(imageRef);
  return `${shortCommit(commit)} of ${branch}${digest === undefined ? "" : `, image ${digest}`}`;
}

function updateLine(update: Update | undefined): string {
  if (update === undefined) return "none";
  const { by, ended, started } = update;
  const took = ended && `, took ${duration(ended.getTime() - started.getTime())}`;
  return `${resultOf(update)} ${moment(started)}${by === undefined ? "" : ` by ${by}`}${took ?? ""}`;
}

const resultOf = ({ succeeded }: Update): string => (succeeded ? "succeeded" : "failed");

function podsLine(pods: { ready: number; updated: number; wanted: number } | undefined): string {
  if (pods === undefined) return "none: the Deployment does not exist";
  const { ready, updated, wanted } = pods;
  const rollout = updated < wanted ? `, ${String(updated)} of the newest revision` : "";
  return `${String(ready)} of ${String(wanted)} ready${rollout}`;
}

function canaryLine(canary: RunningCanary | undefined): string {
  if (canary === undefined) return "none";
  const { branch, expires, percent, started } = canary;
  return [
    branch,
    ...(percent === undefined ? [] : [`${percent} %`]),
    ...(started ? [] : ["its start did not succeed"]),
    ...(expires === undefined ? [] : [lifeLeft(expires)]),
  ].join(", ");
}

const notifierText = (
  notifier: NotifierStatus | undefined,
  jobs: Known<readonly JobStatus[]> | undefined,
): string =>
  notifierLine(notifier, jobs !== undefined && "value" in jobs ? jobs.value : []) ??
  "not set up, and no job has onFailure";

function jobsLine(all: readonly JobStatus[], command: string): string {
  const running = all.filter(({ schedule }) => schedule.suspend !== true);
  if (running.length === 0) return `${String(all.length)}, all suspended`;
  const [first] = running
    .filter(({ next }) => next !== undefined)
    .sort((one, other) => Number(one.next) - Number(other.next));
  const next =
    first?.next === undefined
      ? ""
      : `, next ${first.name} ${timeIn(first.next, first.schedule.timeZone)}`;
  const suspended = all.length - running.length;
  const trouble = troubles(all);
  return [
    `${String(running.length)} scheduled`,
    suspended === 0 ? "" : `, ${String(suspended)} suspended`,
    next,
    trouble === "-" ? "" : `, ${trouble} ${command}`,
  ].join("");
}

/**
 * Returns a text with the number of jobs whose newest run failed, and the number of jobs with
 * missed runs.
 */
function troubles(all: readonly JobStatus[]): string {
  const failed = all.filter(({ runs: [last] }) => last?.result === "failed").length;
  const missed = all.filter((job) => job.missed.length > 0).length;
  const found = [
    ...(failed === 0 ? [] : [`${String(failed)} failed`]),
    ...(missed === 0 ? [] : [`${String(missed)} with missed runs`]),
  ];
  return found.length === 0 ? "-" : found.join(", ");
}

const differences = (lines: readonly string[]): string =>
  lines.length === 1 ? "1 difference" : `${String(lines.length)} differences`;
