import { duration } from "../../lib/time";

/** Pulumi's message if another update of the stack holds its lock. */
const locked = "the stack is currently locked by";
/** Pulumi's line about the owner of the lock: user, machine, process and time. */
const owner = /created by [^\n]+/;

const patienceMs = 600_000;
const pauseMs = 10_000;

export function isLocked(text: string): boolean {
  return text.includes(locked);
}

/** How long to wait for another update. */
export interface LockWait {
  /** Longest wait in milliseconds. 0 disables waiting. @default 600000 */
  readonly patienceMs?: number | undefined;
  /**
   * Milliseconds between two tries. A random part, up to the same time, separates two that wait.
   * @default 10000
   */
  readonly pauseMs?: number | undefined;
}

/**
 * Does work that takes a stack's lock. While another update holds the lock, it prints that and
 * repeats the work from its beginning.
 *
 * @param takeOver - called once, when the stack is locked: tries to remove the lock of an owner
 *   that has ended. After a removal, the work is repeated without a pause.
 * @throws what the work throws. If the stack is still locked after the longest wait, that error.
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
      const holder = owner.exec(error.message)?.[0] ?? "by another update";
      console.log(
        `Waiting for the stack's lock (${holder}), for at most ${duration(left)} more; then it is tried again`,
      );
    },
    randomize: true,
    retries: Number.POSITIVE_INFINITY,
    shouldRetry: ({ error }) => isLocked(error.message),
  });
}
