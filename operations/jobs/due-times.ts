import {
  restrictsBothDays,
  scheduleValues,
  shortestPeriodSeconds,
} from "../../components/conventions/schedules/cron";
import { type LocalTime, ZonedClock } from "./zoned-clock";

/** Fields of a CronJob that determine when the job runs. */
export interface Schedule {
  readonly schedule: string;
  /**
   * Longest time between the due time and the start of a run, in seconds. If undefined, a run may
   * start at any later time.
   */
  readonly startingDeadlineSeconds?: number;
  readonly suspend?: boolean;
  readonly timeZone?: string;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
/**
 * Number of years in which Kubernetes searches for the next due time. For a schedule without due
 * times, such as `0 0 31 2 *`, a search without a limit would never end.
 */
const mostYears = 5;

/**
 * The due times of a schedule, as Kubernetes computes them. Kubernetes uses the library
 * `robfig/cron`. On a day when the clocks change, another library may compute different times. For
 * example, when clocks go back from 03:00 to 02:00, the clocks show 02:30 twice, and Kubernetes
 * runs a job with the schedule `30 2 * * *` at both times.
 *
 * @see https://github.com/robfig/cron/blob/v3.0.1/spec.go Next
 */
export class DueTimes {
  readonly #clock: ZonedClock;
  /** Shortest time between two due times, in milliseconds. */
  readonly #period: number;
  readonly #schedule: string;
  readonly #values: readonly ReadonlySet<number>[];

  constructor(schedule: string, timeZone: string, values: readonly ReadonlySet<number>[]) {
    this.#clock = new ZonedClock(timeZone);
    this.#period = (shortestPeriodSeconds(schedule) ?? 0) * second;
    this.#schedule = schedule;
    this.#values = values;
  }

  /**
   * Returns the first due time after the given time. Undefined if there is no due time in the next
   * five years.
   */
  next(after: Date): Date | undefined {
    const clock = this.#clock;
    let at = Math.floor(after.getTime() / second) * second + second;
    const lastYear = clock.local(at).year + mostYears;
    // Whether `at` is already rounded down to the start of a month, a day, an hour or a minute.
    let rounded = false;
    const round = (start: () => number): void => {
      if (!rounded) at = start();
      rounded = true;
    };
    search: while (clock.local(at).year <= lastYear) {
      while (!this.#has("month", at)) {
        round(() => clock.time({ ...clock.local(at), day: 1, hour: 0, minute: 0, second: 0 }));
        const { month, ...local } = clock.local(at);
        at = clock.time({ ...local, month: month + 1 });
        if (clock.local(at).month === 1) continue search;
      }
      while (!this.#isDay(at)) {
        round(() => clock.time({ ...clock.local(at), hour: 0, minute: 0, second: 0 }));
        const { day, ...local } = clock.local(at);
        at = clock.time({ ...local, day: day + 1 });
        // In some time zones, clocks go from 00:00 to 01:00 or back to 23:00 on the day of a clock
        // change. The next two lines set `at` to the start of the day. `robfig/cron` does the same.
        const { hour: hours } = clock.local(at);
        if (hours > 0) at += (hours > 12 ? 24 - hours : -hours) * hour;
        if (clock.local(at).day === 1) continue search;
      }
      while (!this.#has("hour", at)) {
        round(() => clock.time({ ...clock.local(at), minute: 0, second: 0 }));
        at += hour;
        if (clock.local(at).hour === 0) continue search;
      }
      while (!this.#has("minute", at)) {
        round(() => Math.floor(at / minute) * minute);
        at += minute;
        if (clock.local(at).minute === 0) continue search;
      }
      while (clock.local(at).second !== 0) {
        round(() => at);
        at += second;
        if (clock.local(at).second === 0) continue search;
      }
      return new Date(at);
    }
    return undefined;
  }

  /** Returns the first `count` due times after the given time. */
  following(count: number, after: Date): readonly Date[] {
    const times: Date[] = [];
    for (let at = this.next(after); at !== undefined && times.length < count; at = this.next(at)) {
      times.push(at);
    }
    return times;
  }

  /**
   * Returns the newest due times after `since` and before `before`, the newest first.
   *
   * @param most largest number of due times
   */
  between(since: Date, before: Date, most: number): readonly Date[] {
    // `since` may be years before `before`, and each minute may have a due time. So the search
    // begins with the shortest period before `before` that can contain `most` due times. If this
    // period contains fewer due times, the search continues with a period that is twice as long.
    for (let back = most * this.#period; ; back *= 2) {
      const start = Math.max(since.getTime(), before.getTime() - back);
      const times: Date[] = [];
      let at = this.next(new Date(start));
      for (; at !== undefined && at < before; at = this.next(at)) times.push(at);
      if (times.length >= most || start === since.getTime()) return times.reverse().slice(0, most);
    }
  }

  /**
   * Returns the last due time before the given time. Undefined if there was no due time in the last
   * five years.
   */
  previous(before: Date): Date | undefined {
    const since = new Date(before.getTime() - mostYears * 366 * day);
    return this.between(since, before, 1)[0];
  }

  #has(field: keyof typeof fields, at: number): boolean {
    return this.#values[fields[field]]?.has(this.#clock.local(at)[field]) === true;
  }

  /** Whether the schedule has due times on the day that contains the time `at`. */
  #isDay(at: number): boolean {
    const ofMonth = this.#has("day", at);
    const ofWeek = this.#has("weekday", at);
    return restrictsBothDays(this.#schedule) ? ofMonth || ofWeek : ofMonth && ofWeek;
  }
}

/** The index of each field in the values of a schedule. */
const fields = { day: 2, hour: 1, minute: 0, month: 3, weekday: 4 } as const satisfies Partial<
  Record<keyof LocalTime, number>
>;

/** Parses a schedule. Returns undefined for a form that is not supported, such as `@every 1h`. */
export function dueTimesOf({ schedule, timeZone = "Etc/UTC" }: Schedule): DueTimes | undefined {
  const values = scheduleValues(schedule);
  return values && new DueTimes(schedule, timeZone, values);
}

/** Formats a time in a job's time zone, such as `Fri 27 Nov 03:30`. */
export function timeIn(date: Date, timeZone = "Etc/UTC"): string {
  return new Intl.DateTimeFormat("en-GB", {
    ...{ day: "numeric", hour: "2-digit", hourCycle: "h23", minute: "2-digit" },
    ...{ month: "short", timeZone, weekday: "short" },
  })
    .format(date)
    .replace(",", "");
}
