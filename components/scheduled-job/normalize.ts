import { scheduledJob as defaults } from "../conventions/defaults";
import { withDefaults } from "../conventions/with-defaults";
import type { ScheduledJobArgs } from "./args";
import { shortestPeriodSeconds } from "../conventions/schedules/cron";

/**
 * The args with all defaults. The component validates these args, and creates the CronJob from
 * these args.
 */
export type ScheduledJobInputs = ReturnType<typeof normalize>;

/**
 * Returns the args with all defaults, including the default that depends on the schedule. Does not
 * change `args`.
 */
export function normalize(args: ScheduledJobArgs) {
  const period = shortestPeriodSeconds(args.schedule) ?? 0;
  const most = Math.floor(period * defaults.activeDeadlineFraction);
  const { activeDeadlineSeconds = Math.min(defaults.activeDeadlineMaxSeconds, most) } = args;
  return { ...withDefaults(args, defaults), activeDeadlineSeconds };
}
