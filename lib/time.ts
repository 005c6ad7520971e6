import { setTimeout as sleep } from "node:timers/promises";

/** `75000` as `1m 15s`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 10) {
    return `${(milliseconds / 1000).toFixed(1)}s`;
  }
  return seconds < 60
    ? `${String(seconds)}s`
    : `${String(Math.floor(seconds / 60))}m ${String(seconds % 60)}s`;
}

/**
 * Waits for a condition. While the condition throws, it does not hold.
 *
 * @returns whether it held before time was up
 */
export async function eventually(
  condition: () => Promise<boolean> | boolean,
  milliseconds: number,
  pause = 50,
): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    try {
      if (await condition()) return true;
    } catch {
      // Not yet.
    }
    if (Date.now() > deadline) return false;
    await sleep(pause);
  }
}
