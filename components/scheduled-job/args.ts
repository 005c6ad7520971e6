import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Database } from "../pods/database";
import type { Identity, Release } from "../conventions/labels";
import type { Override } from "../conventions/override";
import type { PodArgs } from "../pods/args";
import type { Requests } from "../conventions/quantities";

/** One pure function per spec of a {@link ScheduledJob}, applied last: `(defaults) => spec`. */
export interface ScheduledJobOverrides {
  /**
   * The container that runs the command. Runs first.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, workingDir: "/tmp" })
   */
  readonly container?: Override<k8s.types.input.core.v1.Container>;

  /**
   * The whole CronJob. Runs last.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, schedule: "@daily" })
   */
  readonly cronJobSpec?: Override<k8s.types.input.batch.v1.CronJobSpec>;

  /**
   * The Job of one run. Runs before `cronJobSpec`.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, backoffLimitPerIndex: 1 })
   */
  readonly jobSpec?: Override<k8s.types.input.batch.v1.JobSpec>;

  /**
   * The pod of one run. Runs before `jobSpec`.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, terminationGracePeriodSeconds: 120 })
   */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;
}

/** Who can be told, in the form that the notifier reads. */
export type Recipient = `email:${string}@${string}` | `pagerduty:${string}` | `slack:#${string}`;

/** What shall happen when a run has failed for the last time. */
export interface OnFailure {
  /**
   * Where it is written what to do. Without it, who is told has to find out.
   *
   * @default - nowhere
   */
  readonly runbook?: `https://${string}`;
  /** Who is told: a Slack channel, an address, or a PagerDuty service. */
  readonly tell: Recipient;
}

export interface ScheduledJobArgs extends PodArgs {
  /**
   * Command of the service's command line. One that the service does not know lets each run fail.
   */
  readonly args: readonly string[];
  /**
   * What the objects are recognised by; the same for the stack's whole life. Wrong, and the job's
   * logs and metrics are another service's.
   */
  readonly identity: Identity;
  /**
   * Image as `repository@sha256:...`. A tag is refused, because it may be moved. One that the
   * registry does not have lets each run wait until it is ended.
   */
  readonly imageRef: pulumi.Input<string>;
  /**
   * Namespace of the CronJob. Another one deletes the job and makes another, without the runs of
   * before.
   */
  readonly namespace: pulumi.Input<string>;
  /**
   * Branch and commit, known to the CronJob and its pods only. A wrong one lays errors to another
   * version.
   */
  readonly release: Release;
  /**
   * When it runs, in `timeZone`: minute, hour, day of month, month, day of week. Sunday is 0, and
   * never 7. A date that never comes, as 31 February, is taken and never runs.
   */
  readonly schedule: string;

  /**
   * Seconds after which a run is ended as failed. Above the schedule's period, `Forbid` would
   * skip runs because of one that hangs; that is refused.
   *
   * @default - 90 % of the schedule's shortest period, at most 3600
   */
  readonly activeDeadlineSeconds?: number;

  /**
   * Public URL of the service, which the job is told as `APP_ENDPOINT`. Wrong, and links in what it
   * writes lead nowhere.
   *
   * @default - none
   */
  readonly appEndpoint?: string | undefined;

  /**
   * Times that a failed run is tried again. The command must bear being run twice.
   *
   * @default 2
   */
  readonly backoffLimit?: number;

  /**
   * How completions are counted: `Indexed` gives each pod a number (`JOB_COMPLETION_INDEX`). With
   * `NonIndexed`, several pods cannot tell which part of the work is theirs.
   *
   * @default - "NonIndexed", as Kubernetes has it
   */
  readonly completionMode?: "Indexed" | "NonIndexed";

  /**
   * Pods that must succeed until a run is done. More than `parallelism` makes them run one after
   * the other, within one deadline.
   *
   * @default - as Kubernetes has it: 1; with `parallelism` one pod that succeeds, after which all must end
   */
  readonly completions?: number;

  /**
   * What happens when the earlier run is not over: `Forbid` skips the new one, `Replace` ends the
   * old one, `Allow` runs both, which then work on the same orders.
   *
   * @default "Forbid"
   */
  readonly concurrencyPolicy?: "Allow" | "Forbid" | "Replace";

  /**
   * Database of the service. Without it the service does not start. `DATABASE_POOL_SIZE` is set by
   * `env`.
   *
   * @default - none
   */
  readonly database?: Database;

  /**
   * Failed runs that are kept, with their logs, for as long as `ttlSecondsAfterFinished` lets them.
   * With 0 nobody sees why a run failed.
   *
   * @default 3
   */
  readonly failedJobsHistoryLimit?: number;

  /**
   * Who is told when a run has failed, as annotations `on-failure/tell` and `on-failure/runbook` of
   * the CronJob and of each of its Jobs. A notifier or monitor reads them; this sends nothing
   * itself. A recipient that there is not is found out at the first failure.
   *
   * @default - nobody
   * @example
   * { tell: "slack:#orders-alerts", runbook: "https://example.com/runbooks/orders" }
   */
  readonly onFailure?: OnFailure;

  /**
   * Pure functions that have the last word on each spec, for a field that no arg sets. A field that
   * they leave out is gone; only the cluster refuses a misspelt one.
   *
   * @default - none
   * @example
   * { podSpec: (spec) => ({ ...spec, terminationGracePeriodSeconds: 120 }) }
   */
  readonly overrides?: ScheduledJobOverrides;

  /**
   * Pods of one run at the same time. The command must bear it; they work on the same orders.
   *
   * @default - 1, as Kubernetes has it
   */
  readonly parallelism?: number;

  /**
   * Which failures of a pod end the run at once, or do not count. A rule that ignores what the code
   * does wrong tries again until the deadline.
   *
   * @default - each failure counts towards `backoffLimit`
   * @example
   * { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }] }
   */
  readonly podFailurePolicy?: k8s.types.input.batch.v1.PodFailurePolicy;

  /**
   * When a pod that is ending is replaced: `Failed` waits until it has ended, so that two of them
   * never work at once.
   *
   * @default - "Failed" with `podFailurePolicy`, else "TerminatingOrFailed", as Kubernetes has it
   */
  readonly podReplacementPolicy?: "Failed" | "TerminatingOrFailed";

  /**
   * CPU and memory that a run is promised. Memory is also its limit: too little kills it.
   *
   * @default {"cpu":"250m","memory":"512Mi"}
   */
  readonly requests?: Requests;

  /**
   * ServiceAccount of the pods, for rights outside the cluster. With `iamRoleArn` the job has one
   * of its own, so both together are refused.
   *
   * @default - its own with `iamRoleArn`, else the namespace's `default`; without a token
   */
  readonly serviceAccountName?: pulumi.Input<string> | undefined;

  /**
   * Seconds by which a run may start late. Below 10 runs are lost; without any, un-suspending
   * starts a missed run at once.
   *
   * @default 300
   */
  readonly startingDeadlineSeconds?: number;

  /**
   * Runs that succeeded and are kept, with their logs. With 0 nobody sees what a run did.
   *
   * @default 3
   */
  readonly successfulJobsHistoryLimit?: number;

  /**
   * Whether runs are held back. A run by hand (`kubectl create job --from`) is still possible. Left
   * on by mistake, nothing runs, and nobody is told.
   *
   * @default false
   */
  readonly suspend?: boolean;

  /**
   * Time zone of the schedule. One with summer time runs a job twice or never once a year.
   *
   * @default "Etc/UTC"
   */
  readonly timeZone?: string;

  /**
   * Seconds that a finished run is kept, with its log. Too few, and nobody sees why it failed.
   *
   * @default 86400
   */
  readonly ttlSecondsAfterFinished?: number;
}
