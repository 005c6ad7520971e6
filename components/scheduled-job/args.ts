import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Database } from "../pods/database";
import type { Identity, Release } from "../conventions/labels";
import type { Override } from "../conventions/override";
import type { PodArgs } from "../pods/args";
import type { Requests } from "../conventions/quantities";

/** One pure function `(defaults) => spec` for each spec of a {@link ScheduledJob}, applied last. */
export interface ScheduledJobOverrides {
  /**
   * Changes the container that runs the command. Runs first.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, workingDir: "/tmp" })
   */
  readonly container?: Override<k8s.types.input.core.v1.Container>;

  /**
   * Changes the CronJob. Runs last.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, schedule: "@daily" })
   */
  readonly cronJobSpec?: Override<k8s.types.input.batch.v1.CronJobSpec>;

  /**
   * Changes the Job of each run. Runs before `cronJobSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, backoffLimitPerIndex: 1 })
   */
  readonly jobSpec?: Override<k8s.types.input.batch.v1.JobSpec>;

  /**
   * Changes the pod template's spec. Runs before `jobSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, terminationGracePeriodSeconds: 120 })
   */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;
}

/** Who is notified, in the form that the notifier reads. */
export type Recipient = `email:${string}@${string}` | `pagerduty:${string}` | `slack:#${string}`;

/** What happens when a run has failed for the last time. */
export interface OnFailure {
  /**
   * Page that says what to do. Without it, the recipient has to find out.
   *
   * @default - none
   */
  readonly runbook?: `https://${string}`;
  /** Who is notified: a Slack channel, an email address or a PagerDuty service. */
  readonly tell: Recipient;
}

export interface ScheduledJobArgs extends PodArgs {
  /**
   * Command of the service's CLI. If the service does not know it, each run fails.
   *
   * @group Common
   */
  readonly args: readonly string[];
  /**
   * Names and labels that identify the stack's objects. Never change it.
   * With a wrong identity, logs and metrics appear under another service.
   *
   * @group Common
   */
  readonly identity: Identity;
  /**
   * Container image as `repository@sha256:...`. A tag is an error, because a tag may be moved.
   * If the registry does not have the digest, each run waits until its deadline.
   *
   * @group Common
   */
  readonly imageRef: pulumi.Input<string>;
  /**
   * Namespace of the CronJob. Another namespace deletes the job with its finished runs, and
   * creates a new one.
   *
   * @group Common
   */
  readonly namespace: pulumi.Input<string>;
  /**
   * Branch and commit. Only the CronJob and its pods carry them.
   * With a wrong value, errors appear under another version.
   *
   * @group Common
   */
  readonly release: Release;
  /**
   * When it runs, in `timeZone`: minute, hour, day of month, month, day of week. Sunday is 0, not
   * 7. A date that does not exist, such as 31 February, is accepted and never runs. A schedule that
   * restricts both kinds of days is an error: Kubernetes would run it on each day that matches one.
   *
   * The preview shows the next three runs. `"30 3 * * 1-5"`, seen on 2026-11-27, runs next on Mon
   * 30 Nov 03:30, Tue 1 Dec 03:30, Wed 2 Dec 03:30.
   *
   * @group Common
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
   */
  readonly schedule: string;

  /**
   * Seconds before Kubernetes stops a run as failed. Must be below the schedule's period:
   * otherwise one run that hangs makes `Forbid` skip the next runs.
   *
   * @group Run
   * @default - 90 % of the schedule's shortest period, at most 3600
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
   */
  readonly activeDeadlineSeconds?: number;

  /**
   * Public URL of the service, which the job receives as `APP_ENDPOINT`.
   * A wrong value breaks links in what the job writes.
   *
   * @group Rare
   * @default - none
   */
  readonly appEndpoint?: string | undefined;

  /**
   * Number of retries of a failed run. The command must be idempotent.
   *
   * @group Run
   * @default 2
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
   */
  readonly backoffLimit?: number;

  /**
   * How Kubernetes counts completions. `Indexed` gives each pod a number (`JOB_COMPLETION_INDEX`).
   * With `NonIndexed`, several pods cannot tell which part of the work is theirs.
   *
   * @group Run
   * @default - "NonIndexed", the default of Kubernetes
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
   */
  readonly completionMode?: "Indexed" | "NonIndexed";

  /**
   * Number of pods that must succeed. If it is above `parallelism`, they run one after the other
   * within one deadline.
   *
   * @group Run
   * @default - the default of Kubernetes: 1; with `parallelism`, one success is enough, and then
   * all pods must end
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#parallel-jobs
   */
  readonly completions?: number;

  /**
   * What happens if the previous run is still active: `Forbid` skips the new run, `Replace` stops
   * the old one, `Allow` runs both, and both work on the same orders.
   *
   * @group Run
   * @default "Forbid"
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#concurrency-policy
   */
  readonly concurrencyPolicy?: "Allow" | "Forbid" | "Replace";

  /**
   * Database of the service. Without it, the service does not start.
   * Set the size of its connection pool with `env`: `DATABASE_POOL_SIZE`.
   *
   * @group Common
   * @default - none
   */
  readonly database?: Database;

  /**
   * Number of failed runs to keep, with their logs, at most for `ttlSecondsAfterFinished`.
   * With 0, you cannot see why a run failed.
   *
   * @group Run
   * @default 3
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#jobs-history-limits
   */
  readonly failedJobsHistoryLimit?: number;

  /**
   * Who is notified when a run fails: annotations `on-failure/tell` and `on-failure/runbook` of
   * the CronJob and of its Jobs. A notifier or a monitor reads them; this arg sends nothing.
   * A recipient that does not exist is only noticed at the first failure.
   *
   * @group Common
   * @default - no notification
   * @example
   * { tell: "slack:#orders-alerts", runbook: "https://example.com/runbooks/orders" }
   */
  readonly onFailure?: OnFailure;

  /**
   * Pure functions that change each spec last, for fields that no arg sets.
   * A field that a function leaves out is removed. TypeScript does not find a misspelled field,
   * the cluster does.
   *
   * @group Common
   * @default - none
   * @example
   * { podSpec: (spec) => ({ ...spec, terminationGracePeriodSeconds: 120 }) }
   */
  readonly overrides?: ScheduledJobOverrides;

  /**
   * Number of pods that run at the same time. The command must support it: all pods work on the
   * same orders. Otherwise they do the work twice.
   *
   * @group Run
   * @default - 1, the default of Kubernetes
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#parallel-jobs
   */
  readonly parallelism?: number;

  /**
   * Which failures of a pod fail the run immediately, or do not count. If a rule ignores a bug in
   * the code, Kubernetes retries until the deadline.
   *
   * @group Run
   * @default - each failure counts towards `backoffLimit`
   * @example { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status:
   * "True" }] }] }
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
   */
  readonly podFailurePolicy?: k8s.types.input.batch.v1.PodFailurePolicy;

  /**
   * When Kubernetes replaces a pod that is terminating. `Failed` waits until it has stopped, so
   * that two pods never work at the same time.
   *
   * @group Run
   * @default - "Failed" with `podFailurePolicy`, otherwise "TerminatingOrFailed" as in Kubernetes
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-replacement-policy
   */
  readonly podReplacementPolicy?: "Failed" | "TerminatingOrFailed";

  /**
   * CPU and memory that Kubernetes reserves for a run. The memory is also the limit: if a run uses
   * more, the kernel kills the container.
   *
   * @group Common
   * @default {"cpu":"250m","memory":"512Mi"}
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly requests?: Requests;

  /**
   * ServiceAccount of the pods, for rights outside the cluster. Do not set it with `iamRoleArn`,
   * which creates a ServiceAccount for the job: that is an error.
   *
   * @group Pod
   * @default - the job's own with `iamRoleArn`, otherwise `default`. Both without a token
   * @see https://kubernetes.io/docs/concepts/security/service-accounts/
   */
  readonly serviceAccountName?: pulumi.Input<string> | undefined;

  /**
   * How many seconds late a run may start. Below 10, runs are lost. If Kubernetes had no limit,
   * a missed run would start as soon as the job is no longer suspended.
   *
   * @group Run
   * @default 300
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#starting-deadline
   */
  readonly startingDeadlineSeconds?: number;

  /**
   * Number of successful runs to keep, with their logs. With 0, you cannot see what a run did.
   *
   * @group Run
   * @default 3
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#jobs-history-limits
   */
  readonly successfulJobsHistoryLimit?: number;

  /**
   * Whether Kubernetes starts no runs. You can still start one with `kubectl create job --from`.
   * If it stays on by mistake, nothing runs and nothing reports it.
   *
   * @group Common
   * @default false
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-suspension
   */
  readonly suspend?: boolean;

  /**
   * IANA time zone of the schedule. In a zone with summer time, once a year a job runs twice or
   * not at all.
   *
   * @group Common
   * @default "Etc/UTC"
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones
   */
  readonly timeZone?: string;

  /**
   * Seconds to keep a finished run, with its log. Too few: you cannot see why it failed.
   *
   * @group Run
   * @default 86400
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
   */
  readonly ttlSecondsAfterFinished?: number;
}
