import { hostname } from "node:os";
import { runs } from "../../lib/processes";
import { type LockStore, lockStore } from "../locks/lock-store";
import { type Workspace, stateOfProject } from "./run-pulumi";
import { KilledHere, type LockOwner, placeOf } from "./started-processes";

/**
 * Removes the locks of updates that were killed on this machine. Does not remove the locks of
 * processes that still run, or the locks of other machines. If such a lock exists, Pulumi's error
 * contains the process that holds the lock.
 */
export async function removeDeadLocks(stack: string, workspace: Workspace): Promise<void> {
  const state = stateOfProject(workspace);
  const { backendUrl } = state;
  const store = (): LockStore => lockStore(stack, state);
  if (backendUrl.startsWith("file:///")) {
    const isDead = ({ hostname: host, pid }: LockOwner): boolean =>
      host === hostname() && !runs(pid);
    await removeLocks(store(), isDead);
  }
  if (backendUrl.startsWith("s3://")) {
    const killed = new KilledHere(placeOf(stack, backendUrl));
    // If no update was killed on this machine, this code does not read S3, because the AWS CLI
    // alone takes a second to start.
    if (killed.none) return;
    try {
      await removeLocks(store(), (owner) => killed.took(owner));
    } catch {
      // For example, the AWS CLI is missing, or the IAM role has no permission to read the locks.
      // If the stack still has a lock, Pulumi's error contains the process that holds the lock.
      return;
    }
    killed.forget();
  }
}

async function removeLocks(store: LockStore, isDead: (owner: LockOwner) => boolean): Promise<void> {
  const { locks } = await store.read();
  for (const lock of locks) {
    if (!isDead(lock.owner)) continue;
    console.log(
      `An earlier update (process ${String(lock.owner.pid)}) was killed: this command continues from there`,
    );
    await store.remove([lock]);
  }
}
