import { UserError } from "../../lib/errors";

export const hour = 3_600_000;

/**
 * Longest life after the last update, in hours. The registry deletes a branch's image 30 days after
 * the push (the platform's `buildDays`), and then its pods cannot start again. An update of the
 * same code does not push, so the limit leaves room for one.
 */
export const longestHours = 13 * 24;

/** `90m`, `24h` or `2d` in hours. */
export function hours(text: string): number {
  const [, digits, unit = ""] = /^([1-9][0-9]{0,4})([mhd])$/.exec(text) ?? [];
  const factor = ({ d: 24, h: 1, m: 1 / 60 } as Record<string, number>)[unit];
  if (digits === undefined || factor === undefined) {
    throw new UserError(
      `A time must be a number of minutes, hours or days, such as 90m, 24h or 2d; got "${text}".`,
    );
  }
  return Number(digits) * factor;
}

/** The life of a stack, from its tags and history. */
export interface Life {
  /** Set by `extend`. */
  readonly extendedUntil: Date | undefined;
  readonly lastUpdate: Date;
  /** Hours that the stack lives after its last update. */
  readonly ttlHours: number;
}

/** When a stack expires: after its ttl, or at the extended time, within {@link longestHours}. */
export function expiry({ extendedUntil, lastUpdate, ttlHours }: Life): Date {
  const last = lastUpdate.getTime();
  const wanted = Math.max(last + ttlHours * hour, extendedUntil?.getTime() ?? 0);
  return new Date(Math.min(wanted, last + longestHours * hour));
}

/**
 * The new expiry of a stack that must live for some hours from now.
 *
 * @throws UserError if that is later than the stack may live.
 */
export function extension(life: Life, forHours: number, now: Date): Date {
  const until = new Date(now.getTime() + forHours * hour);
  const latest = life.lastUpdate.getTime() + longestHours * hour;
  if (until.getTime() > latest) {
    throw new UserError(
      `A review stack lives at most 13 days after its last update, until ${moment(new Date(latest))}. Choose a shorter time, or deploy it again.`,
    );
  }
  return until;
}

/** `2026-11-23 06:46 UTC` */
export function moment(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A duration, such as `3 h` or `2 d`. */
export function span(milliseconds: number): string {
  const minutes = Math.round(Math.abs(milliseconds) / 60_000);
  if (minutes < 120) return `${String(minutes)} min`;
  return minutes < 48 * 60
    ? `${String(Math.round(minutes / 60))} h`
    : `${String(Math.round(minutes / 1440))} d`;
}

/** Such as `expires in 3 h`, or `expired 2 d ago`. */
export function lifeLeft(expires: Date, now = new Date()): string {
  const left = expires.getTime() - now.getTime();
  return left > 0 ? `expires in ${span(left)}` : `expired ${span(left)} ago`;
}

/** Undefined if the text is not a time. */
export function dateOf(text: string | undefined): Date | undefined {
  const parsed = new Date(text ?? "");
  return Number.isNaN(parsed.getTime()) ? undefined : parsed;
}
