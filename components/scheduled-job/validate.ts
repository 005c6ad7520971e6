import { budgets } from "../conventions/names";
import { type Checked, check, dnsLabel, integer } from "../conventions/validation";
import { workloadIssues } from "../pods/workload";
import {
  type ScheduleField,
  restrictsBothDays,
  shortestPeriodSeconds,
  wrongFields,
} from "../conventions/schedules/cron";
import type { ScheduledJobInputs } from "./normalize";
import { isTimeZone } from "./time-zone";

const maxInt32 = 2 ** 31 - 1;

/** Checks all rules of a scheduled job and returns the issues. */
export function scheduledJobIssues(name: string, job: ScheduledJobInputs): readonly Checked[] {
  const { startingDeadlineSeconds } = job;
  return [
    ...workloadIssues(job, [name]),
    dnsLabel("name", name, budgets.cronJob),
    ...scheduleIssues(job),
    check(Number.isInteger(startingDeadlineSeconds) && startingDeadlineSeconds >= 10, {
      arg: "startingDeadlineSeconds",
      fix: "raise it: Kubernetes checks every 10 s and would miss runs",
      got: startingDeadlineSeconds,
      rule: "be an integer of at least 10",
    }),
    check(job.iamRoleArn === undefined || job.serviceAccountName === undefined, {
      arg: "serviceAccountName",
      fix: "iamRoleArn gives the job its own ServiceAccount; give the IAM role all permissions that the job needs",
      got: job.serviceAccountName,
      rule: "be left out if iamRoleArn is set",
    }),
    integer("backoffLimit", job.backoffLimit, 0, maxInt32),
    integer("completions", job.completions, 1, maxInt32),
    integer("failedJobsHistoryLimit", job.failedJobsHistoryLimit, 0, maxInt32),
    integer("parallelism", job.parallelism, 1, maxInt32),
    integer("successfulJobsHistoryLimit", job.successfulJobsHistoryLimit, 0, maxInt32),
    integer("ttlSecondsAfterFinished", job.ttlSecondsAfterFinished, 0, maxInt32),
    check(job.completionMode !== "Indexed" || job.completions !== undefined, {
      arg: "completions",
      fix: "set how many pods must succeed",
      got: null,
      rule: "be set with completionMode Indexed",
    }),
    ...onFailureIssues(job),
  ];
}

/**
 * Returns a text with the smallest and the largest number of a schedule's field. If the field
 * allows words, the text also contains the words for these two numbers.
 */
function boundsOf({ max, min, words }: ScheduleField): string {
  const numbers = `${String(min)} to ${String(max)}`;
  return words.length === 0 ? numbers : `${numbers}, or ${words[0] ?? ""} to ${words.at(-1) ?? ""}`;
}

function scheduleIssues(job: ScheduledJobInputs): readonly Checked[] {
  const { activeDeadlineSeconds: seconds, schedule, timeZone } = job;
  const wrong = wrongFields(schedule);
  const period = shortestPeriodSeconds(schedule);
  return [
    check(wrong !== undefined, {
      arg: "schedule",
      fix: "write minute, hour, day of month, month, day of week, with one space between them",
      got: schedule,
      rule: "have 5 fields",
    }),
    ...(wrong ?? []).map((field) => ({
      arg: "schedule",
      fix: 'write "*", or numbers such as "1", "1-5", "1,3" or "*/2"',
      got: schedule,
      rule: `have ${field.name} from ${boundsOf(field)}`,
    })),
    check(!restrictsBothDays(schedule), {
      arg: "schedule",
      fix: 'Kubernetes would run the job on each day that matches one of the two fields; write "*" in one of them, or write two jobs',
      got: schedule,
      rule: "restrict days of the month or days of the week, not both",
    }),
    check(period === undefined || (Number.isInteger(seconds) && seconds > 0 && seconds < period), {
      arg: "activeDeadlineSeconds",
      fix: "end a run before the next one starts",
      got: seconds,
      rule: `be an integer above 0 and below the schedule's shortest period of ${String(period)} s`,
    }),
    check(isTimeZone(timeZone), {
      arg: "timeZone",
      fix: 'write it as "America/Argentina/Buenos_Aires"',
      got: timeZone,
      rule: "be the IANA name of a time zone",
    }),
  ];
}

const recipientForm =
  /^(?:slack:#[a-z0-9][a-z0-9._-]{0,79}|email:[^\s@]+@[^\s@]+|pagerduty:[A-Za-z0-9._-]+)$/;

function onFailureIssues({ onFailure }: ScheduledJobInputs): readonly Checked[] {
  return [
    check(onFailure === undefined || recipientForm.test(onFailure.tell), {
      arg: "onFailure.tell",
      fix: 'write it as "slack:#orders-alerts"',
      got: onFailure?.tell,
      rule: "be slack:#<channel>, email:<address> or pagerduty:<service>",
    }),
  ];
}
