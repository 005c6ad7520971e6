import { UserError } from "../../lib/errors";
import { hour, moment } from "../../lib/time";

/**
 * Longest time from the last update of a review stack to its expiry, in hours. The registry deletes
 * a branch's image 30 days after the push (the platform's `buildDays`). Without the image, the pods
 * cannot start again. An update of the same code does not push the image again, but extends the
 * stack's life. After such an update, the pods may need the image for up to twice `longestHours`.
 * So twice `longestHours` must be less than 30 days.
 */
export const longestHours = 13 * 24;

/** The facts that determine when a review stack expires. */
export interface Life {
  /**
   * Time until which `npm run review -- extend` has extended the stack's life. Undefined if no one
   * has extended it.
   */
  readonly extendedUntil: Date | undefined;
  readonly lastUpdate: Date;
  /** Hours from the last update to the stack's expiry, if no one has extended the stack's life. */
  readonly ttlHours: number;
}

/**
 * Returns the time when a stack expires. The expiry is the later of two times: `ttlHours` hours
 * after the last update, and `extendedUntil`. But a stack expires at most {@link longestHours}
 * hours after its last update.
 */
export function expiry({ extendedUntil, lastUpdate, ttlHours }: Life): Date {
  const last = lastUpdate.getTime();
  const wanted = Math.max(last + ttlHours * hour, extendedUntil?.getTime() ?? 0);
  return new Date(Math.min(wanted, last + longestHours * hour));
}

/**
 * Returns the time until which a stack's life is extended: `forHours` hours from now.
 *
 * @throws UserError if this time is more than {@link longestHours} hours after the stack's last
 * update.
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
