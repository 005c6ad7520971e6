import { UserError } from "../../lib/errors";
import { hour, moment } from "../../lib/time";

/**
 * Longest life after the last update, in hours. The registry deletes a branch's image 30 days after
 * the push (the platform's `buildDays`), and then its pods cannot start again. An update of the
 * same code does not push, so the limit leaves room for one.
 */
export const longestHours = 13 * 24;

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
