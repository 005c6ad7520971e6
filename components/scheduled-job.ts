import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { shortestPeriodSeconds } from "./conventions/cron";
import type { Database } from "./conventions/database";
import { scheduledJob as defaults, pod } from "./conventions/defaults";
import { type Fault, refuse, unless } from "./conventions/faults";
import { type Identity, type Release, labels, releaseLabels } from "./conventions/labels";
import { budgets, isDnsLabel } from "./conventions/names";
import { type Override, overridden } from "./conventions/override";
import {
  type Workload,
  workloadContainer,
  workloadFaults,
  workloadPodSpec,
} from "./conventions/pods";
import type { Requests } from "./conventions/quantities";

/** One pure function per spec of a {@link ScheduledJob}, applied last: `(defaults) => spec`. */
export interface ScheduledJobOverrides {
  /** The container that runs the command. Runs first. */
  readonly container?: Override<k8s.types.input.core.v1.Container>;
  /** The whole CronJob. Runs last. */
  readonly cronJobSpec?: Override<k8s.types.input.batch.v1.CronJobSpec>;
  /** The Job of one run. Runs before `cronJobSpec`. */
  readonly jobSpec?: Override<k8s.types.input.batch.v1.JobSpec>;
  /** The pod of one run. Runs before `jobSpec`. */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;
}

export interface ScheduledJobArgs {
  /** Command of the service's command line. */
  readonly args: readonly string[];
  /** What the objects are recognised by; the same for the stack's whole life. */
  readonly identity: Identity;
  /** Image as `repository@sha256:...`. */
  readonly imageRef: pulumi.Input<string>;
  /** Namespace of the CronJob. */
  readonly namespace: pulumi.Input<string>;
  /** Branch and commit, known to the CronJob and its pods only. */
  readonly release: Release;
  /** When it runs, in `timeZone`: minute, hour, day of month, month, day of week. */
  readonly schedule: string;

  /**
   * Seconds after which a run is ended as failed. Above the schedule's period, `Forbid` would
   * skip runs because of one that hangs; that is refused.
   *
   * @default - 90 % of the schedule's shortest period, at most 3600
   */
  readonly activeDeadlineSeconds?: number;

  /**
   * Public URL of the service, which the job is told as `APP_ENDPOINT`.
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
   * What happens when the earlier run is not over: `Forbid` skips the new one, `Replace` ends the
   * old one, `Allow` runs both, which then work on the same orders.
   *
   * @default "Forbid"
   */
  readonly concurrencyPolicy?: "Allow" | "Forbid" | "Replace";

  /**
   * Database of the service. Without it no `DATABASE_*` variable is set.
   *
   * @default - none
   */
  readonly database?: Database;

  /**
   * More environment variables. A secret does not belong here: mount it by an override.
   *
   * @default {}
   */
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;

  /** Pure functions that have the last word on each spec. */
  readonly overrides?: ScheduledJobOverrides;

  /**
   * CPU and memory that a run is promised. Memory is also its limit: too little kills it.
   *
   * @default {"cpu":"250m","memory":"512Mi"}
   */
  readonly requests?: Requests;

  /**
   * ServiceAccount of the pods, for rights outside the cluster.
   *
   * @default - the namespace's `default`, without a token
   */
  readonly serviceAccountName?: pulumi.Input<string>;

  /**
   * Seconds by which a run may start late. Below 10 runs are lost; without any, un-suspending
   * starts a missed run at once.
   *
   * @default 300
   */
  readonly startingDeadlineSeconds?: number;

  /**
   * Whether runs are held back. A run by hand (`kubectl create job --from`) is still possible.
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
}

/**
 * One command of the service on a schedule: one CronJob, named as the component, and nothing else.
 *
 * @throws pulumi.ResourceError with every fault of the args, before the CronJob.
 */
export class ScheduledJob extends pulumi.ComponentResource {
  readonly nodes: { readonly cronJob: k8s.batch.v1.CronJob };

  constructor(name: string, args: ScheduledJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:ScheduledJob", name, args, opts);
    const { requests = pod.requests } = args;
    const workload = { ...args, requests };
    refuse(this, "ScheduledJob", name, [...workloadFaults(workload), ...faults(name, args)]);
    this.nodes = { cronJob: createCronJob(this, name, args, workload) };
    this.registerOutputs({});
  }
}

/** 90 % of the shortest period, at most an hour. */
function deadline(args: ScheduledJobArgs): number {
  const period = shortestPeriodSeconds(args.schedule) ?? 0;
  const most = Math.floor(period * defaults.activeDeadlineFraction);
  return args.activeDeadlineSeconds ?? Math.min(defaults.activeDeadlineMaxSeconds, most);
}

function isTimeZone(timeZone: string): boolean {
  try {
    // The list of names that Intl offers lacks Etc/UTC, so ask for the zone itself.
    return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function faults(name: string, args: ScheduledJobArgs): readonly (Fault | undefined)[] {
  const { schedule, startingDeadlineSeconds = defaults.startingDeadlineSeconds } = args;
  const { backoffLimit = defaults.backoffLimit, timeZone = defaults.timeZone } = args;
  const fields = schedule.split(" ").length;
  const period = shortestPeriodSeconds(schedule);
  const seconds = deadline(args);
  return [
    unless(isDnsLabel(name, budgets.cronJob), {
      arg: "name",
      got: name,
      rule: `be a DNS label of at most ${String(budgets.cronJob)} characters`,
      todo: "use lower case letters, digits and hyphens, and start with a letter",
    }),
    unless(fields === 5, {
      arg: "schedule",
      got: schedule,
      rule: "have 5 fields",
      todo: "write minute, hour, day of month, month, day of week, with one space between",
    }),
    unless(fields !== 5 || period !== undefined, {
      arg: "schedule",
      got: schedule,
      rule: "have minutes from 0 to 59 and hours from 0 to 23",
      todo: 'write numbers, "*", ranges, lists and steps',
    }),
    unless(period === undefined || (Number.isInteger(seconds) && seconds > 0 && seconds < period), {
      arg: "activeDeadlineSeconds",
      got: seconds,
      rule: `be a whole number above 0 and below the schedule's shortest period of ${String(period)} s`,
      todo: "end a run before the next one starts",
    }),
    unless(Number.isInteger(startingDeadlineSeconds) && startingDeadlineSeconds >= 10, {
      arg: "startingDeadlineSeconds",
      got: startingDeadlineSeconds,
      rule: "be a whole number of at least 10",
      todo: "Kubernetes looks every 10 s, and a shorter one loses runs",
    }),
    unless(Number.isInteger(backoffLimit) && backoffLimit >= 0, {
      arg: "backoffLimit",
      got: backoffLimit,
      rule: "be a whole number of at least 0",
      todo: "correct it",
    }),
    unless(isTimeZone(timeZone), {
      arg: "timeZone",
      got: timeZone,
      rule: "be a time zone",
      todo: 'write it as "America/Argentina/Buenos_Aires"',
    }),
  ];
}

function jobSpec(
  name: string,
  args: ScheduledJobArgs,
  workload: Workload,
): k8s.types.input.batch.v1.JobSpec {
  const { backoffLimit = defaults.backoffLimit, identity, overrides, release } = args;
  const { serviceAccountName } = args;
  const spec = overridden(overrides?.podSpec, {
    ...workloadPodSpec(workload),
    containers: [overridden(overrides?.container, workloadContainer(workload, name, args.args))],
    // A new pod for each try: the failed one stays, with its log.
    restartPolicy: "Never",
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
  });
  return overridden(overrides?.jobSpec, {
    activeDeadlineSeconds: deadline(args),
    backoffLimit,
    template: {
      metadata: { labels: { ...labels(identity, "job"), ...releaseLabels(identity, release) } },
      spec,
    },
    ttlSecondsAfterFinished: defaults.ttlSecondsAfterFinished,
  });
}

function createCronJob(
  parent: pulumi.Resource,
  name: string,
  args: ScheduledJobArgs,
  workload: Workload,
): k8s.batch.v1.CronJob {
  const { concurrencyPolicy = defaults.concurrencyPolicy, identity, namespace, release } = args;
  const { startingDeadlineSeconds = defaults.startingDeadlineSeconds } = args;
  const { suspend = defaults.suspend, timeZone = defaults.timeZone } = args;
  const all = { ...labels(identity, "job"), ...releaseLabels(identity, release) };
  return new k8s.batch.v1.CronJob(
    name,
    {
      metadata: { labels: all, name, namespace },
      spec: overridden(args.overrides?.cronJobSpec, {
        concurrencyPolicy,
        failedJobsHistoryLimit: defaults.failedJobsHistoryLimit,
        jobTemplate: {
          metadata: { labels: labels(identity, "job") },
          spec: jobSpec(name, args, workload),
        },
        schedule: args.schedule,
        startingDeadlineSeconds,
        successfulJobsHistoryLimit: defaults.successfulJobsHistoryLimit,
        suspend,
        timeZone,
      }),
    },
    { parent },
  );
}
