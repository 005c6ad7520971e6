import { setTimeout as sleep } from "node:timers/promises";

/** How often to read the cluster and to print messages. */
export interface Pace {
  readonly pollMs: number;
  /** Milliseconds without progress after which the wait also reads the pods. */
  readonly quietMs: number;
  /** Milliseconds without a new message after which the wait prints the last message again. */
  readonly sayMs: number;
}

export const usualPace: Pace = { pollMs: 2_000, quietMs: 6_000, sayMs: 30_000 };

/**
 * Number of failed reads in a row after which the wait fails. An API server that restarts answers
 * again after a few failed reads.
 */
const failedReads = 5;

/** Calls `read` until it succeeds, but at most five times. */
export async function patiently<Value>(read: () => Promise<Value>, pollMs: number): Promise<Value> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await read();
    } catch (error) {
      if (tried === failedReads) throw error;
    }
    await sleep(pollMs);
  }
}
