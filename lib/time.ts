import { setTimeout as sleep } from "node:timers/promises";
import { WrongUse } from "./errors";

/** One hour, in milliseconds. */
export const hour = 3_600_000;

/** Formats a duration: 75000 milliseconds become `1m 15s`. */
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
 * Converts a duration such as `90m`, `24h` or `2d` into hours.
 *
 * @throws WrongUse if the text does not have this form.
 */
export function hours(text: string): number {
  const [, digits, unit = ""] = /^([1-9][0-9]{0,4})([mhd])$/.exec(text) ?? [];
  const factor = ({ d: 24, h: 1, m: 1 / 60 } as Record<string, number>)[unit];
  if (digits === undefined || factor === undefined) {
    throw new WrongUse(
      `A duration must be a number of minutes, hours or days, such as 90m, 24h or 2d; got "${text}".`,
    );
  }
  return Number(digits) * factor;
}

/** Formats a time in UTC, such as `2026-11-23 06:46 UTC`. */
export function moment(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Formats a duration with one unit, such as `3 h` or `2 d`. */
export function span(milliseconds: number): string {
  const minutes = Math.round(Math.abs(milliseconds) / 60_000);
  if (minutes < 120) return `${String(minutes)} min`;
  return minutes < 48 * 60
    ? `${String(Math.round(minutes / 60))} h`
    : `${String(Math.round(minutes / 1440))} d`;
}

/**
 * Returns a text that says when something expires, such as `expires in 3 h` or `expired 2 d ago`.
 */
export function lifeLeft(expires: Date, now = new Date()): string {
  const left = expires.getTime() - now.getTime();
  return left > 0 ? `expires in ${span(left)}` : `expired ${span(left)} ago`;
}

/** Parses a date and time. Returns undefined if the text is not a valid time. */
export function dateOf(text: string | undefined): Date | undefined {
  const parsed = new Date(text ?? "");
  return Number.isNaN(parsed.getTime()) ? undefined : parsed;
}

/**
 * Waits until a condition returns true, or until the timeout. If the condition throws an error, the
 * function tries again.
 *
 * @returns true if the condition returned true before the timeout
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
      // The condition has thrown an error, so it is not true yet.
    }
    if (Date.now() > deadline) return false;
    await sleep(pause);
  }
}
