import { CommandError } from "../../lib/command";
import { confirm } from "../../lib/confirm";
import { UserError } from "../../lib/errors";
import { moment } from "../../lib/time";
import { noSuchStack, stackNames } from "../pulumi/connect";
import { type Workspace, defaultWorkspace, stateOfProject } from "../pulumi/run-pulumi";
import { type ApprovalOptions, type Shown, assertApproved, saveShown } from "../stacks/approval";
import { canaryStack } from "../stacks/running-canary";
import { assertStackName } from "../stacks/stack-name";
import { type Lock, type LockStore, lockStore } from "./lock-store";

/**
 * `npm run unlock -- STACK`: shows which process holds the stack's lock, asks for confirmation, and
 * removes the lock. The command does not stop the process that holds the lock. If that process
 * still runs, two updates can change the stack at the same time.
 *
 * @throws UserError if the stack is unknown, if the command cannot read or remove the stack's
 * locks, if the person does not confirm, or if the person approved the removal of a different lock.
 */
export async function unlock(
  stack: string,
  { approved, preview, yes = false }: ApprovalOptions & { readonly yes?: boolean } = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  assertStackName(stack);
  const store = lockStore(stack, stateOfProject(workspace));
  const shown = await reading(stack, store);
  // If someone kills the command that removes a stack, it is possible that the stack is gone, but
  // the stack's lock still exists. So the command first reads the locks. If there is no lock, the
  // command checks that the stack exists.
  if (shown.length === 0 && !(await stackNames(workspace)).includes(stack)) {
    throw noSuchStack(stack);
  }
  const change = say(stack, shown);
  if (preview !== undefined) saveShown(preview, change);
  if (preview !== undefined || shown.length === 0) return;
  if (approved !== undefined) assertApproved(approved, change);
  await confirm(stack, yes);
  await removing(stack, store, shown);
  await sayWhatIsLeft(stack, store);
}

/**
 * Prints which processes hold the stack's locks. Returns the same facts as data, for the approval.
 */
function say(stack: string, locks: readonly Lock[]): Shown {
  if (locks.length === 0) {
    const headline = "is not locked: nothing to do";
    console.log(`Stack ${stack} ${headline}.`);
    return { headline, stack, subjects: [] };
  }
  for (const lock of locks) console.log(`Stack ${stack} is locked by ${holderOf(lock)}`);
  console.log("Make sure that this process has ended: unlock does not stop it.");
  const headline = `is locked by ${locks.map(holderOf).join("; ")}`;
  return { headline, stack, subjects: locks.map(({ file }) => file) };
}

async function reading(stack: string, store: LockStore): Promise<readonly Lock[]> {
  try {
    return (await store.read()).locks;
  } catch (error) {
    throw refused(`The locks of stack "${stack}" cannot be read`, error);
  }
}

async function removing(stack: string, store: LockStore, locks: readonly Lock[]): Promise<void> {
  return store.remove(locks).catch((error: unknown) => {
    throw refused(`The lock of stack "${stack}" cannot be removed`, error);
  });
}

/** Returns an error with the reason in one line. The AWS CLI itself prints several lines. */
function refused(what: string, error: unknown): UserError {
  const reason = error instanceof CommandError ? error.reason : String(error);
  return new UserError(
    `${what}: ${reason}. Check PULUMI_BACKEND_URL, and the permissions that the shell or the CI job has.`,
  );
}

/**
 * Returns a text about the process that holds a lock. If the process has a record, the text
 * contains the URL of the CircleCI job.
 */
export function holderOf({ owner, record }: Lock): string {
  const { hostname, pid, timestamp, username } = owner;
  const since = moment(new Date(timestamp));
  const process = `${username} on ${hostname}, process ${String(pid)}, since ${since}`;
  return record === undefined ? process : `${process}: CircleCI job ${record.job.url}`;
}

async function sayWhatIsLeft(stack: string, store: LockStore): Promise<void> {
  const left = await reading(stack, store);
  for (const lock of left) {
    console.log(`Another lock has appeared in the meantime, and stays: ${holderOf(lock)}`);
  }
  if (left.length > 0) return;
  console.log(`Stack ${stack} is not locked any more. Its objects have not changed.`);
  console.log(`${nextCommand(stack)} first makes the state agree with the cluster.`);
}

/**
 * Returns the command that a person can run after this command. The returned command first recovers
 * the state after the killed update.
 */
function nextCommand(stack: string): string {
  if (stack === "local") return "npm run up";
  if (stack === canaryStack) return "npm run canary -- stop";
  return `npm run deploy -- ${stack}`;
}
