import type { Condition } from "../../components/conventions/rollout/pod-status";
import { onFailureAnnotations } from "../../components/conventions/schedules/on-failure";
import { defined } from "../../components/conventions/with-defaults";
import { dateOf } from "../../lib/time";
import { dueTimesOf, type Schedule } from "./due-times";

/** A condition of a Job. */
interface JobCondition extends Condition {
  readonly lastTransitionTime?: string;
  readonly reason?: string;
}

/** A Kubernetes Job, with only the fields that the command reads. */
export interface Job {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly name: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly status?: {
    readonly completionTime?: string;
    readonly conditions?: readonly JobCondition[];
    readonly startTime?: string;
  };
}

/** A CronJob, with only the fields that the command reads. */
export interface CronJob {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly managedFields?: readonly { readonly fieldsV1?: object; readonly time?: string }[];
    readonly name: string;
  };
  readonly spec: Schedule & {
    readonly failedJobsHistoryLimit?: number;
    readonly jobTemplate: { readonly spec: { readonly ttlSecondsAfterFinished?: number } };
    readonly successfulJobsHistoryLimit?: number;
  };
}

/** One run of a job. The cluster still has the Job of this run. */
export interface Run {
  /** Why the run failed: the reason and the message of the Job's condition `Failed`. */
  readonly cause?: string;
  /**
   * Due time of the run, from the schedule. Undefined if a person started the run, or if the
   * version of Kubernetes is older than 1.32.
   */
  readonly due?: Date;
  readonly ended?: Date;
  /** Name of the Job. */
  readonly name: string;
  readonly result: "failed" | "running" | "succeeded";
  readonly started: Date;
}

/** The arg `onFailure` of a scheduled job. */
interface OnFailure {
  readonly runbook?: string;
  /** Recipient, such as `slack:#orders-alerts`. */
  readonly tell: string;
}

/**
 * The runs and the due times of one scheduled job, at the time when the command read the cluster.
 */
export interface JobStatus {
  /**
   * Due times without a run, the newest first. The list includes a due time at which Kubernetes
   * skipped the run because the previous run had not ended (concurrency policy `Forbid`).
   */
  readonly missed: readonly Date[];
  readonly name: string;
  /**
   * Next due time. A suspended job has a next due time, but Kubernetes does not start a run at that
   * time.
   */
  readonly next?: Date;
  readonly onFailure?: OnFailure;
  /** Runs that the cluster still has, the newest first. */
  readonly runs: readonly Run[];
  readonly schedule: Schedule;
  /**
   * Start of the period for which the list `missed` is complete. Kubernetes may have deleted the
   * Jobs of earlier runs.
   */
  readonly since: Date;
}

/** Annotation that Kubernetes 1.32 and later sets on the Job of each scheduled run. */
const dueAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/**
 * Largest number of due times of one job that the command compares with the runs. For a job that
 * runs every minute, this number covers 25 hours.
 */
const mostDueTimes = 1500;

/** Finds the runs of each scheduled job, and the due times without a run. */
export function statusesOf(
  cronJobs: readonly CronJob[],
  jobs: readonly Job[],
  now: Date,
): readonly JobStatus[] {
  return cronJobs.map((cronJob) => {
    const { name } = cronJob.metadata;
    const isOwn = ({ metadata }: Job): boolean =>
      metadata.ownerReferences?.some((owner) => owner.kind === "CronJob" && owner.name === name) ??
      false;
    return statusOf(cronJob, jobs.filter(isOwn).map(runOf), now);
  });
}

function statusOf(cronJob: CronJob, found: readonly Run[], now: Date): JobStatus {
  const { metadata, spec } = cronJob;
  const runs = [...found].sort((one, other) => other.started.getTime() - one.started.getTime());
  const since = completeSince(cronJob, runs, now);
  const times = dueTimesOf(spec);
  const next = times?.next(now);
  const has = new Set(runs.map(({ due }) => due?.getTime()));
  // A due time counts as missed only after its starting deadline, because Kubernetes may start the
  // run before this deadline.
  const before = new Date(now.getTime() - (spec.startingDeadlineSeconds ?? 0) * 1000);
  const due = spec.suspend === true ? [] : (times?.between(since, before, mostDueTimes) ?? []);
  const onFailure = onFailureOf(metadata.annotations);
  return {
    missed: due.filter((time) => !has.has(time.getTime())),
    name: metadata.name,
    ...defined({ next, onFailure }),
    runs,
    schedule: spec,
    since,
  };
}

function onFailureOf(annotations: Readonly<Record<string, string>> = {}): OnFailure | undefined {
  const { [onFailureAnnotations.runbook]: runbook, [onFailureAnnotations.tell]: tell } =
    annotations;
  return tell === undefined ? undefined : { ...defined({ runbook }), tell };
}

/** Creates the description of a run from the Job of the run. */
export function runOf({ metadata, status = {} }: Job): Run {
  const { conditions = [] } = status;
  const is = (type: string) => conditions.find((one) => one.type === type && one.status === "True");
  const failed = is("Failed");
  const ended = dateOf(status.completionTime ?? failed?.lastTransitionTime);
  const due = dateOf(metadata.annotations?.[dueAnnotation]);
  return {
    ...(failed === undefined ? {} : { cause: causeOf(failed) }),
    ...(due === undefined ? {} : { due }),
    ...(ended === undefined ? {} : { ended }),
    name: metadata.name,
    result:
      failed !== undefined ? "failed" : is("Complete") !== undefined ? "succeeded" : "running",
    started: dateOf(status.startTime ?? metadata.creationTimestamp) ?? new Date(0),
  };
}

const causeOf = ({ message, reason }: JobCondition): string =>
  [reason, message].filter((part) => part !== undefined).join(": ");

/**
 * Returns the start of the period for which the cluster still has the Job of every run. If there
 * are more ended Jobs than the CronJob's history limits allow, Kubernetes deletes the oldest Jobs.
 * Kubernetes also deletes each Job `ttlSecondsAfterFinished` seconds after the Job's end. The start
 * is never before the last change of the CronJob's schedule, because `missed` uses only the current
 * schedule.
 */
function completeSince({ metadata, spec }: CronJob, runs: readonly Run[], now: Date): Date {
  const { failedJobsHistoryLimit = 1, jobTemplate, successfulJobsHistoryLimit = 3 } = spec;
  const oldest = (result: Run["result"], limit: number): Date | undefined => {
    const kept = runs.filter((run) => run.result === result);
    return kept.length < limit ? undefined : (kept.at(-1)?.due ?? kept.at(-1)?.started ?? now);
  };
  const ttl = jobTemplate.spec.ttlSecondsAfterFinished;
  const times = [
    dateOf(metadata.creationTimestamp),
    ...(metadata.managedFields ?? []).filter(setsSchedule).map(({ time }) => dateOf(time)),
    oldest("succeeded", successfulJobsHistoryLimit),
    oldest("failed", failedJobsHistoryLimit),
    ttl === undefined ? undefined : new Date(now.getTime() - ttl * 1000),
  ];
  return new Date(Math.max(...times.map((time) => time?.getTime() ?? 0)));
}

const setsSchedule = ({ fieldsV1 }: { readonly fieldsV1?: object }): boolean =>
  JSON.stringify(fieldsV1 ?? {}).includes('"f:schedule"');
