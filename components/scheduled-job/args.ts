import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Database } from "../pods/database";
import type { Identity, Release } from "../conventions/labels";
import type { Override } from "../conventions/override";
import type { PodArgs } from "../pods/args";
import type { Requests } from "../conventions/quantities";

/**
 * Pure functions `(defaults) => spec`, one for each spec of a {@link ScheduledJob}. These functions
 * run after the component has applied all args.
 */
export interface ScheduledJobOverrides {
  /**
   * Changes the container that runs the command. This function runs first.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, workingDir: "/tmp" })
   */
  readonly container?: Override<k8s.types.input.core.v1.Container>;

  /**
   * Changes the spec of the CronJob. This function runs last.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, schedule: "@daily" })
   */
  readonly cronJobSpec?: Override<k8s.types.input.batch.v1.CronJobSpec>;

  /**
   * Changes the spec of the Job of each run. This function runs before `cronJobSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, backoffLimitPerIndex: 1 })
   */
  readonly jobSpec?: Override<k8s.types.input.batch.v1.JobSpec>;

  /**
   * Changes the pod template's spec. This function runs before `jobSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, terminationGracePeriodSeconds: 120 })
   */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;
}

/** A recipient of notifications, in the format that the notifier reads. */
export type Recipient = `email:${string}@${string}` | `pagerduty:${string}` | `slack:#${string}`;

/**
 * Recipient of the notification about failed and missed runs, and a page that explains what the
 * recipient must do.
 */
export interface OnFailure {
  /**
   * URL of a page that explains what to do after a failure. Without this page, the recipient must
   * find a solution without help.
   *
   * @default - none
   */
  readonly runbook?: `https://${string}`;
  /** Recipient of the notification: a Slack channel, an email address or a PagerDuty service. */
  readonly tell: Recipient;
}

export interface ScheduledJobArgs extends PodArgs {
  /**
   * Command of the service's CLI. If the service does not have this command, each run fails.
   *
   * @group Common
   */
  readonly args: readonly string[];
  /**
   * Names and labels that identify the stack's objects. Never change the identity. With a wrong
   * identity, logs and metrics appear under another service in Datadog.
   *
   * @group Common
   */
  readonly identity: Identity;
  /**
   * Container image as `repository@sha256:...`. A tag is an error, because someone can move a tag
   * to another image. If the registry does not have the digest, each run waits until its deadline.
   *
   * @group Common
   */
  readonly imageRef: pulumi.Input<string>;
  /**
   * Namespace of the CronJob. A change deletes the CronJob with all runs of the CronJob, and
   * creates a new CronJob in the new namespace.
   *
   * @group Common
   */
  readonly namespace: pulumi.Input<string>;
  /**
   * Branch and commit of the release. Only the CronJob and its pods contain these values. With
   * wrong values, errors appear under another version in Datadog.
   *
   * @group Common
   */
  readonly release: Release;
  /**
   * Schedule of the runs in cron format, in the time zone `timeZone`. The fields are minute, hour,
   * day of month, month, day of week. Sunday is 0, not 7. A date that does not exist, such as 31
   * February, is not an error, but the job never runs. A schedule that restricts both the day of
   * month and the day of week is an error: Kubernetes would run the job on each day that matches
   * one of the two fields.
   *
   * If the schedule is new or changes, the preview shows the next three runs. For example, after
   * 03:30, a preview of `"30 3 * * 1-5"` on 2026-11-27 shows Mon 30 Nov 03:30, Tue 1 Dec 03:30, Wed
   * 2 Dec 03:30.
   *
   * @group Common
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
   */
  readonly schedule: string;

  /**
   * Maximum duration of a run, in seconds. After this time, Kubernetes stops the run and marks the
   * run as failed. Must be below the shortest time between two scheduled runs. Otherwise, if a run
   * does not end, Kubernetes skips the next runs (with `Forbid`).
   *
   * @group Run
   * @default - 90 % of the schedule's shortest period, at most 3600
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
   */
  readonly activeDeadlineSeconds?: number;

  /**
   * Public URL of the service, which the job receives as `APP_ENDPOINT`. A wrong value breaks the
   * links in the job's output.
   *
   * @group Rare
   * @default - none
   */
  readonly appEndpoint?: string | undefined;

  /**
   * Number of retries in one run. For each retry, Kubernetes starts a new pod. The command must be
   * idempotent.
   *
   * @group Run
   * @default 2
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
   */
  readonly backoffLimit?: number;

  /**
   * How Kubernetes counts completions. `Indexed` gives each pod a number (`JOB_COMPLETION_INDEX`).
   * With `NonIndexed`, the pods have no numbers, so the command needs another way to divide the
   * work.
   *
   * @group Run
   * @default - "NonIndexed", the default of Kubernetes
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
   */
  readonly completionMode?: "Indexed" | "NonIndexed";

  /**
   * Number of pods that must succeed. If this number is above `parallelism`, the later pods start
   * when earlier pods have succeeded. All pods share the deadline of the run.
   *
   * @group Run
   * @default - the default of Kubernetes: 1. With `parallelism`, the run succeeds when one pod has
   * succeeded and all pods have ended
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#parallel-jobs
   */
  readonly completions?: number;

  /**
   * What happens if the previous run is still active: `Forbid` skips the new run. `Replace` stops
   * the previous run and starts the new run. `Allow` starts the new run, so that both runs work on
   * the same orders at the same time.
   *
   * @group Run
   * @default "Forbid"
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#concurrency-policy
   */
  readonly concurrencyPolicy?: "Allow" | "Forbid" | "Replace";

  /**
   * Database of the service. Without a database, the command does not start. To set the size of the
   * connection pool, add `DATABASE_POOL_SIZE` to `env`.
   *
   * @group Common
   * @default - none
   */
  readonly database?: Database;

  /**
   * Number of failed runs to keep, with their logs. After `ttlSecondsAfterFinished`, Kubernetes
   * also deletes these runs. With 0, you cannot see why a run failed.
   *
   * @group Run
   * @default 5
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#jobs-history-limits
   */
  readonly failedJobsHistoryLimit?: number;

  /**
   * Recipient of the message that a run has failed after all retries, or has not started. This arg
   * only sets the annotations `on-failure/tell` and `on-failure/runbook` of the CronJob and of its
   * Jobs. For staging and production, the pipeline `notify.yml` runs `npm run notify -- jobs`. This
   * command reads the annotations and sends the message. No command checks that the recipient
   * exists. You notice a wrong recipient only when the first message does not arrive.
   *
   * @group Common
   * @default - no notification
   * @example
   * { tell: "slack:#orders-alerts", runbook: "https://example.com/runbooks/orders" }
   */
  readonly onFailure?: OnFailure;

  /**
   * Pure functions that change the component's specs, for fields that no arg sets. These functions
   * run last. Pulumi removes each field that a function does not return. TypeScript does not report
   * a misspelled field, but the cluster does.
   *
   * @group Common
   * @default - none
   * @example
   * { podSpec: (spec) => ({ ...spec, terminationGracePeriodSeconds: 120 }) }
   */
  readonly overrides?: ScheduledJobOverrides;

  /**
   * Number of pods that run at the same time. All pods work on the same orders, so the command must
   * divide the work between the pods. Otherwise, two pods do the same work.
   *
   * @group Run
   * @default - 1, the default of Kubernetes
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#parallel-jobs
   */
  readonly parallelism?: number;

  /**
   * Rules for pod failures: after which failures the run fails immediately, and which failures do
   * not count. If a rule ignores failures that a bug in the code causes, Kubernetes retries until
   * the deadline.
   *
   * @group Run
   * @default - each failure counts towards `backoffLimit`
   * @example { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status:
   * "True" }] }] }
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
   */
  readonly podFailurePolicy?: k8s.types.input.batch.v1.PodFailurePolicy;

  /**
   * Determines when Kubernetes replaces a pod that is terminating. With `Failed`, Kubernetes waits
   * until that pod has stopped, so that the old pod and its replacement never work at the same
   * time.
   *
   * @group Run
   * @default - "Failed" with `podFailurePolicy`, otherwise "TerminatingOrFailed", the default of
   * Kubernetes
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-replacement-policy
   */
  readonly podReplacementPolicy?: "Failed" | "TerminatingOrFailed";

  /**
   * CPU and memory that Kubernetes reserves for each pod of a run. Without `memoryLimit`, the
   * memory request is also the limit: if a container uses more memory, the kernel kills the
   * container.
   *
   * @group Common
   * @default {"cpu":"250m","memory":"512Mi"}
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly requests?: Requests;

  /**
   * Name of the pods' ServiceAccount, for permissions outside the cluster. Do not set both this arg
   * and `iamRoleArn`: with `iamRoleArn`, the component creates a ServiceAccount for the job.
   *
   * @group Pod
   * @default - with `iamRoleArn` the job's own ServiceAccount, otherwise `default`. In both cases,
   * the pods get no token of the Kubernetes API
   * @see https://kubernetes.io/docs/concepts/security/service-accounts/
   */
  readonly serviceAccountName?: pulumi.Input<string> | undefined;

  /**
   * Maximum number of seconds between the scheduled time and the start of a run. Must be at least
   * 10: Kubernetes checks CronJobs every 10 seconds, so with a lower value, Kubernetes could miss
   * runs. When a suspension ends, Kubernetes starts the last skipped run if the scheduled time of
   * this run was at most this number of seconds ago.
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
   * Whether the CronJob is suspended. Kubernetes starts no runs of a suspended CronJob. You can
   * still start a run with `kubectl create job --from`. If someone forgets to resume the CronJob,
   * no run starts, and the job notifier does not report the missing runs.
   *
   * @group Common
   * @default false
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-suspension
   */
  readonly suspend?: boolean;

  /**
   * IANA time zone of the schedule. In a time zone with daylight saving time, a clock change can
   * skip a run or start a run twice.
   *
   * @group Common
   * @default "Etc/UTC"
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones
   */
  readonly timeZone?: string;

  /**
   * Maximum number of seconds for which Kubernetes keeps a finished run with its log. The default
   * is five days, so that you can still read the log on the next working day. If this value is too
   * low, Kubernetes deletes a run before you can see why the run failed.
   *
   * @group Run
   * @default 432000
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
   */
  readonly ttlSecondsAfterFinished?: number;
}
