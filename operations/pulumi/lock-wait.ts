import { duration } from "../../lib/time";

/** Text in Pulumi's error about a stack whose lock another update holds. */
const locked = "the stack is currently locked by";
/** Matches Pulumi's text about the owner of the lock: user, machine, process and time. */
const owner = /created by [^\n]+/;

const patienceMs = 600_000;
const pauseMs = 10_000;

export function isLocked(text: string): boolean {
  return text.includes(locked);
}

/** How long a command waits while another update holds the stack's lock. */
export interface LockWait {
  /** Longest wait, in milliseconds. With 0, the command does not wait. @default 600000 */
  readonly patienceMs?: number | undefined;
  /**
   * Pause between two tries, in milliseconds. The command makes each pause longer by a random time
   * of at most `pauseMs`, so that two commands do not try again at the same moment.
   * @default 10000
   */
  readonly pauseMs?: number | undefined;
}

/**
 * Runs `work`, which takes a stack's lock. If `work` fails because another update holds the lock,
 * this function prints a message, waits, and runs `work` again.
 *
 * @param takeOver - tries to remove the lock of a process that has ended, and returns whether it
 * has removed the lock. `untilUnlocked` calls `takeOver` once, when `work` first fails because of a
 * lock. If `takeOver` returns true, `work` runs again without a pause.
 * @throws the error that `work` throws. If the stack is still locked after the longest wait, this
 * error is the last error about the lock.
 */
export async function untilUnlocked<Result>(
  work: () => Promise<Result>,
  wait: LockWait | undefined,
  takeOver: () => Promise<boolean>,
): Promise<Result> {
  const { default: pRetry } = await import("p-retry");
  const patience = wait?.patienceMs ?? patienceMs;
  const started = Date.now();
  let asked = false;
  const unlessTakenOver = async (): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (asked || !(error instanceof Error) || !isLocked(error.message)) throw error;
      asked = true;
      if (!(await takeOver())) throw error;
      return work();
    }
  };
  return pRetry(unlessTakenOver, {
    factor: 1,
    maxRetryTime: patience,
    minTimeout: wait?.pauseMs ?? pauseMs,
    onFailedAttempt: ({ error }) => {
      const left = patience - (Date.now() - started);
      if (!isLocked(error.message) || left <= 0) return;
      const holder = owner.exec(error.message)?.[0] ?? "held by another update";
      console.log(
        `Waiting for the stack's lock (${holder}): this command tries again for at most ${duration(left)}`,
      );
    },
    randomize: true,
    retries: Number.POSITIVE_INFINITY,
    shouldRetry: ({ error }) => isLocked(error.message),
  });
}
