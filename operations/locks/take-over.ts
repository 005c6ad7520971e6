import { CommandError } from "../../lib/command";
import type { CircleciJob } from "./circleci-job";
import type { StateOfProject } from "../clients/state-objects";
import { type Lock, lockStore } from "./lock-store";

/**
 * Removes the locks that earlier jobs of this job's serial group have left, and the records of
 * these jobs. Does nothing if the state backend is not in S3.
 *
 * No heartbeat is necessary, because CircleCI runs one job of a group at a time: "If another job
 * already holds the lock, subsequent jobs must wait in the queue." CircleCI releases the group when
 * a job completes, "whether successful, failed, canceled, unauthorized, or not run". This job runs,
 * so every earlier job of the group has ended.
 *
 * @returns whether this function removed a lock.
 * @see
 * https://circleci.com/docs/guides/orchestrate/controlling-serial-execution-across-your-organization/
 */
export async function takeOver(
  stack: string,
  job: CircleciJob,
  state: StateOfProject,
): Promise<boolean> {
  if (!state.backendUrl.startsWith("s3://")) return false;
  const store = lockStore(stack, state);
  try {
    const { locks, records } = await store.read();
    // The records of this job are not in `ended`, because another step or another parallel machine
    // of the job may hold the lock.
    const ended = records.filter(
      (record) => record.job.serialGroup === job.serialGroup && record.job.id !== job.id,
    );
    const left = locks.filter(({ record }) => record !== undefined && ended.includes(record));
    // `ended` also contains the records of jobs that were canceled before Pulumi took the lock.
    if (ended.length > 0) await store.remove([...left, ...ended]);
    for (const lock of left) announce(lock);
    return left.length > 0;
  } catch (error) {
    const reason = error instanceof CommandError ? error.reason : String(error);
    console.warn(
      "warning: the records of CircleCI jobs next to the lock cannot be read or removed, " +
        "so no lock is taken over. " +
        `Check s3:ListBucket, s3:GetObject and s3:DeleteObject on .pulumi/locks: ${reason}`,
    );
    return false;
  }
}

function announce({ owner, record }: Lock): void {
  const url = record?.job.url ?? "";
  console.log(
    `An earlier CircleCI job of this serial group has ended and left its lock (process ${String(owner.pid)}${url === "" ? "" : `, ${url}`}): ` +
      "this command continues from there",
  );
}
