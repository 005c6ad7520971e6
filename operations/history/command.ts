import { shortCommit, shortDigest } from "../../components/conventions/names";
import { columns } from "../../lib/table";
import { UserError } from "../../lib/errors";
import { duration, moment } from "../../lib/time";
import { committed, fullCommit, isAncestor } from "../clients/git";
import { noSuchStack, stackNames } from "../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { outputsOf } from "../pulumi/stacks";
import { type Update, updatesOf } from "./updates";

export interface HistoryOptions {
  readonly json?: boolean;
}

/** `npm run history -- STACK`: prints the stack's updates, the newest first. */
export async function history(
  stack: string,
  { json = false }: HistoryOptions = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  if (!(await stackNames(workspace)).includes(stack)) throw noSuchStack(stack);
  const updates = await updatesOf(stack, workspace);
  if (json) console.log(JSON.stringify({ stack, updates, version: 1 }, undefined, 2));
  else if (updates.length === 0) console.log(`Stack ${stack} was never updated.`);
  else console.log(linesOf(updates).join("\n"));
}

/** Returns the lines of a table of updates. */
function linesOf(updates: readonly Update[]): readonly string[] {
  const heading = ["started", "took", "result", "commit", "image", "program", "by", "reason"];
  return columns([heading, ...updates.map(rowOf)]);
}

function rowOf(update: Update): readonly string[] {
  const { by = "-", commit, ended, imageRef, link, program, reason, started, succeeded } = update;
  return [
    moment(started),
    ended === undefined ? "-" : duration(ended.getTime() - started.getTime()),
    succeeded ? "succeeded" : "failed",
    commit === undefined ? "-" : shortCommit(commit),
    shortDigest(imageRef ?? "") ?? "-",
    program === undefined ? "-" : shortCommit(program),
    by,
    [reason, link].filter((part) => part !== undefined).join(" "),
  ];
}

/** Whether and when a stack ran a commit. */
interface Presence {
  /**
   * The update with which the stack began to run the commit. Undefined if the stack does not run
   * the commit now.
   */
  readonly now: Update | undefined;
  /**
   * Start and end of the period in which the stack ran releases that contain the commit. The end is
   * undefined if it is unknown. `ran` is undefined if the stack runs the commit now, or if no known
   * update contains the commit.
   */
  readonly ran: readonly [from: Date, to: Date | undefined] | undefined;
}

/**
 * `npm run where -- COMMIT`: prints for each stack whether the stack runs the commit now, or ran
 * the commit earlier.
 */
export async function where(given: string, workspace: Workspace = defaultWorkspace): Promise<void> {
  const commit = await fullCommit(given, workspace);
  if (commit === undefined) {
    throw new UserError(
      `git does not know the commit "${given}": run git fetch, or check the hash.`,
    );
  }
  const stacks = await stackNames(workspace);
  const rows = await Promise.all(
    stacks.map(async (stack) => [
      stack,
      saysOf(await presenceOf(commit, await releasesOf(stack, workspace), workspace)),
    ]),
  );
  console.log(columns(rows).join("\n"));
}

/**
 * Returns the successful updates of a stack, the newest first. The commit of the newest update
 * comes from the stack's outputs, because after a plain `pulumi up`, Pulumi's history contains only
 * the checked-out commit.
 */
async function releasesOf(stack: string, workspace: Workspace): Promise<readonly Update[]> {
  const [updates, outputs] = await Promise.all([
    updatesOf(stack, workspace),
    outputsOf(stack, workspace),
  ]);
  const [newest, ...older] = updates.filter(({ succeeded }) => succeeded);
  if (newest === undefined) return [];
  return [{ ...newest, commit: outputs.commit ?? newest.commit }, ...older];
}

/**
 * Determines from the updates of a stack when the stack ran a commit.
 *
 * @param releases successful updates, the newest first
 */
export async function presenceOf(
  commit: string,
  releases: readonly Update[],
  workspace: Workspace,
): Promise<Presence> {
  const has = await Promise.all(
    releases.map(async (one) => (await isPart(commit, one.commit, workspace)) === true),
  );
  // If the newest update contains the commit, `since` and all later updates contain the commit. The
  // update before `since` does not contain the commit, or does not exist.
  const end = has.indexOf(false);
  const since = releases[(end === -1 ? has.length : end) - 1];
  if (has[0] === true) return { now: since, ran: undefined };
  const last = has.indexOf(true);
  if (last === -1) return { now: undefined, ran: undefined };
  const first = releases[has.lastIndexOf(true)];
  return { now: undefined, ran: [first?.started ?? new Date(0), releases[last - 1]?.started] };
}

async function isPart(
  commit: string,
  of: string | undefined,
  workspace: Workspace,
): Promise<boolean | undefined> {
  const running = committed(of);
  if (running === undefined) return undefined;
  return running === commit ? true : isAncestor(commit, running, workspace);
}

function saysOf({ now, ran }: Presence): string {
  if (now !== undefined) {
    return `has run it since ${moment(now.started)}, first with release ${shortCommit(now.commit ?? "unknown")}`;
  }
  if (ran === undefined) return "has not run it";
  const [from, to] = ran;
  return `ran it from ${moment(from)}${to === undefined ? "" : ` to ${moment(to)}`}`;
}
