import { Cron } from "croner";
import { spelledOut } from "../../components/conventions/schedules/cron";

/** Fields of a CronJob that decide when the job runs. */
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

/** Parses a schedule. Returns undefined for a form that is not supported, such as `@every 1h`. */
export function cronOf({ schedule, timeZone = "Etc/UTC" }: Schedule): Cron | undefined {
  const pattern = spelledOut(schedule);
  // If a schedule has a day of the month and a day of the week, a match of either is enough.
  return pattern === undefined
    ? undefined
    : new Cron(pattern, { domAndDow: false, paused: true, timezone: timeZone });
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
