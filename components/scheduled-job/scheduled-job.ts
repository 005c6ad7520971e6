import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type ScheduleField, shortestPeriodSeconds, wrongFields } from "./cron";
import { logAnnotations } from "../pods/datadog";
import { scheduledJob as defaults, pod } from "../conventions/defaults";
import { type ValidationIssue, assertValid, check, integer } from "../conventions/validation";
import { labels, releaseLabels } from "../conventions/labels";
import { type Annotations, objectMetadata, podMetadata } from "../conventions/metadata";
import { budgets, isDnsLabel } from "../conventions/names";
import { applyOverride } from "../conventions/override";
import {
  type Workload,
  workloadContainer,
  workloadIssues,
  workloadInitContainers,
  workloadPodSpec,
} from "../pods/workload";
import { isTimeZone } from "./time-zone";
import { createConfigMap, createServiceAccount } from "../pods/objects";
import type { ScheduledJobArgs } from "./args";

export type { OnFailure, Recipient, ScheduledJobArgs, ScheduledJobOverrides } from "./args";

/** The Kubernetes objects of a {@link ScheduledJob}. */
export interface ScheduledJobNodes {
  readonly configMap?: k8s.core.v1.ConfigMap;
  readonly cronJob: k8s.batch.v1.CronJob;
  readonly serviceAccount?: k8s.core.v1.ServiceAccount;
}

/**
 * One command of the service on a schedule: one CronJob, named as the component, and nothing else,
 * but with `configFiles` a ConfigMap and with `iamRoleArn` a ServiceAccount.
 *
 * @throws pulumi.ResourceError with every issue of the args, before the first child.
 */
export class ScheduledJob extends pulumi.ComponentResource {
  readonly nodes: ScheduledJobNodes;

  constructor(name: string, args: ScheduledJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:ScheduledJob", name, args, opts);
    const { requests = pod.requests } = args;
    const workload = { ...args, requests };
    assertValid(this, "ScheduledJob", name, [
      ...workloadIssues(workload, [name]),
      ...issues(name, args),
    ]);
    const own = labels(args.identity, "job");
    const serviceAccount =
      args.iamRoleArn === undefined ? undefined : createServiceAccount(this, name, args, own);
    const configMap = createConfigMap(this, name, args, own);
    const cronJob = createCronJob(this, name, args, workload, {
      configMapName: configMap?.metadata.name,
      serviceAccountName: serviceAccount?.metadata.name ?? args.serviceAccountName,
    });
    this.nodes = {
      cronJob,
      ...(configMap === undefined ? {} : { configMap }),
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
    };
    this.registerOutputs({});
  }
}

/** 90 % of the shortest period, at most an hour. */
function deadline(args: ScheduledJobArgs): number {
  const period = shortestPeriodSeconds(args.schedule) ?? 0;
  const most = Math.floor(period * defaults.activeDeadlineFraction);
  return args.activeDeadlineSeconds ?? Math.min(defaults.activeDeadlineMaxSeconds, most);
}

/** From where to where a field of a schedule goes, in numbers and in words. */
function boundsOf({ max, min, words }: ScheduleField): string {
  const numbers = `${String(min)} to ${String(max)}`;
  return words.length === 0 ? numbers : `${numbers}, or ${words[0] ?? ""} to ${words.at(-1) ?? ""}`;
}

const recipientForm =
  /^(?:slack:#[a-z0-9][a-z0-9._-]{0,79}|email:[^\s@]+@[^\s@]+|pagerduty:[A-Za-z0-9._-]+)$/;

function issues(name: string, args: ScheduledJobArgs): readonly (ValidationIssue | undefined)[] {
  const { schedule, startingDeadlineSeconds = defaults.startingDeadlineSeconds } = args;
  const { backoffLimit = defaults.backoffLimit, timeZone = defaults.timeZone } = args;
  const { onFailure } = args;
  const wrong = wrongFields(schedule);
  const period = shortestPeriodSeconds(schedule);
  const seconds = deadline(args);
  return [
    check(isDnsLabel(name, budgets.cronJob), {
      arg: "name",
      got: name,
      rule: `be a DNS label of at most ${String(budgets.cronJob)} characters`,
      fix: "use lower case letters, digits and hyphens, and start with a letter",
    }),
    check(wrong !== undefined, {
      arg: "schedule",
      got: schedule,
      rule: "have 5 fields",
      fix: "write minute, hour, day of month, month, day of week, with one space between",
    }),
    ...(wrong ?? []).map((field) => ({
      arg: "schedule",
      got: schedule,
      rule: `have ${field.name} from ${boundsOf(field)}`,
      fix: 'write "*", or numbers as 1, 1-5, 1,3 or */2',
    })),
    check(period === undefined || (Number.isInteger(seconds) && seconds > 0 && seconds < period), {
      arg: "activeDeadlineSeconds",
      got: seconds,
      rule: `be a whole number above 0 and below the schedule's shortest period of ${String(period)} s`,
      fix: "end a run before the next one starts",
    }),
    check(Number.isInteger(startingDeadlineSeconds) && startingDeadlineSeconds >= 10, {
      arg: "startingDeadlineSeconds",
      got: startingDeadlineSeconds,
      rule: "be a whole number of at least 10",
      fix: "Kubernetes looks every 10 s, and a shorter one loses runs",
    }),
    integer("backoffLimit", backoffLimit, 0, 2 ** 31 - 1),
    check(args.iamRoleArn === undefined || args.serviceAccountName === undefined, {
      arg: "serviceAccountName",
      got: args.serviceAccountName,
      rule: "be left out with iamRoleArn",
      fix: "the job then has a ServiceAccount of its own; give that one's role all rights it needs",
    }),
    ...(
      [
        ["completions", args.completions, 1],
        ["failedJobsHistoryLimit", args.failedJobsHistoryLimit, 0],
        ["parallelism", args.parallelism, 1],
        ["successfulJobsHistoryLimit", args.successfulJobsHistoryLimit, 0],
        ["ttlSecondsAfterFinished", args.ttlSecondsAfterFinished, 0],
      ] as const
    ).map(([arg, got, min]) =>
      got === undefined ? undefined : integer(arg, got, min, 2 ** 31 - 1),
    ),
    check(args.completionMode !== "Indexed" || args.completions !== undefined, {
      arg: "completions",
      got: null,
      rule: "be given with completionMode Indexed",
      fix: "say how many pods must succeed",
    }),
    check(onFailure === undefined || recipientForm.test(onFailure.tell), {
      arg: "onFailure.tell",
      got: onFailure?.tell,
      rule: "be slack:#<channel>, email:<address> or pagerduty:<service>",
      fix: 'write it as "slack:#orders-alerts"',
    }),
    check(isTimeZone(timeZone), {
      arg: "timeZone",
      got: timeZone,
      rule: "be a time zone as IANA spells it",
      fix: 'write it as "America/Argentina/Buenos_Aires"',
    }),
  ];
}

/** The fields that have a value. */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** What a notifier reads: on the CronJob, and on the Job of each run. */
function onFailureAnnotations({ onFailure }: ScheduledJobArgs): Annotations {
  if (onFailure === undefined) return {};
  const { runbook, tell } = onFailure;
  return {
    ...(runbook === undefined ? {} : { "on-failure/runbook": runbook }),
    "on-failure/tell": tell,
  };
}

/** Objects that the pods name. */
interface Named {
  readonly configMapName: pulumi.Input<string> | undefined;
  readonly serviceAccountName: pulumi.Input<string> | undefined;
}

function jobSpec(
  name: string,
  args: ScheduledJobArgs,
  workload: Workload,
  named: Named,
): k8s.types.input.batch.v1.JobSpec {
  const { backoffLimit = defaults.backoffLimit, identity, overrides, release } = args;
  const { configMapName, serviceAccountName } = named;
  const spec = applyOverride(overrides?.podSpec, {
    ...workloadPodSpec(workload, configMapName),
    containers: [applyOverride(overrides?.container, workloadContainer(workload, name, args.args))],
    ...workloadInitContainers(workload, []),
    // A new pod for each try: the failed one stays, with its log.
    restartPolicy: "Never",
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
  });
  return applyOverride(overrides?.jobSpec, {
    activeDeadlineSeconds: deadline(args),
    backoffLimit,
    template: {
      metadata: podMetadata(
        args,
        { ...labels(identity, "job"), ...releaseLabels(identity, release) },
        logAnnotations(name, identity.service, args),
      ),
      spec,
    },
    // What is left out stays as Kubernetes has it.
    ...given({
      completionMode: args.completionMode,
      completions: args.completions,
      parallelism: args.parallelism,
      podFailurePolicy: args.podFailurePolicy,
      podReplacementPolicy: args.podReplacementPolicy,
    }),
    ttlSecondsAfterFinished: args.ttlSecondsAfterFinished ?? defaults.ttlSecondsAfterFinished,
  });
}

function createCronJob(
  parent: pulumi.Resource,
  name: string,
  args: ScheduledJobArgs,
  workload: Workload,
  named: Named,
): k8s.batch.v1.CronJob {
  const { concurrencyPolicy = defaults.concurrencyPolicy, identity, namespace, release } = args;
  const { startingDeadlineSeconds = defaults.startingDeadlineSeconds } = args;
  const { suspend = defaults.suspend, timeZone = defaults.timeZone } = args;
  const { failedJobsHistoryLimit = defaults.failedJobsHistoryLimit } = args;
  const { successfulJobsHistoryLimit = defaults.successfulJobsHistoryLimit } = args;
  const onFailure = onFailureAnnotations(args);
  const all = { ...labels(identity, "job"), ...releaseLabels(identity, release) };
  return new k8s.batch.v1.CronJob(
    name,
    {
      metadata: { ...objectMetadata(args, all, onFailure), name, namespace },
      spec: applyOverride(args.overrides?.cronJobSpec, {
        concurrencyPolicy,
        failedJobsHistoryLimit,
        jobTemplate: {
          metadata: objectMetadata(args, labels(identity, "job"), onFailure),
          spec: jobSpec(name, args, workload, named),
        },
        schedule: args.schedule,
        startingDeadlineSeconds,
        successfulJobsHistoryLimit,
        suspend,
        timeZone,
      }),
    },
    { parent },
  );
}
