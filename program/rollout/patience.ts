import { setTimeout as sleep } from "node:timers/promises";

/**
 * Intervals at which the functions in this directory read the cluster and print messages, while the
 * functions wait for a rollout or a Job.
 */
export interface Pace {
  readonly pollMs: number;
  /**
   * Milliseconds without progress of a rollout. After this time, the function that waits for the
   * rollout reads the Deployment and its pods, and not only the Deployment.
   */
  readonly quietMs: number;
  /**
   * Milliseconds after which a waiting function prints a message again, even if nothing has
   * changed.
   */
  readonly sayMs: number;
}

export const usualPace: Pace = { pollMs: 2_000, quietMs: 6_000, sayMs: 30_000 };

/**
 * Number of consecutive failed reads after which `patiently` fails. An API server that restarts
 * usually answers again after fewer failed reads.
 */
const failedReads = 5;

/**
 * Calls `read` until it succeeds, but at most five times. If the fifth call fails, this function
 * throws the error of that call.
 */
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
