import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { scheduledJob as defaults } from "../conventions/defaults";
import { assertValid } from "../conventions/expected-error";
import { labels, releaseLabels } from "../conventions/labels";
import { type Annotations, objectMetadata } from "../conventions/metadata";
import { applyOverride } from "../conventions/override";
import type { PodRequirement } from "../conventions/quota";
import { createConfigMap, createServiceAccount } from "../pods/objects";
import { onFailureAnnotations as annotations } from "../conventions/schedules/on-failure";
import { defined } from "../conventions/with-defaults";
import type { ScheduledJobArgs } from "./args";
import { type Named, jobPodTemplate } from "./job-pod";
import { type ScheduledJobInputs, normalize } from "./normalize";
import { scheduledJobIssues } from "./validate";

export type { ScheduledJobArgs, ScheduledJobOverrides } from "./args";

/** The Kubernetes objects of a {@link ScheduledJob}. */
export interface ScheduledJobNodes {
  readonly configMap?: k8s.core.v1.ConfigMap;
  readonly cronJob: k8s.batch.v1.CronJob;
  readonly serviceAccount?: k8s.core.v1.ServiceAccount;
}

/**
 * A CronJob with the component's name, which runs one command of the service on a schedule. With
 * `configFiles`, the component also creates a ConfigMap. With `iamRoleArn`, the component also
 * creates a ServiceAccount.
 *
 * @throws pulumi.ResourceError with all issues of the args, before the component creates a child
 * resource.
 */
export class ScheduledJob extends pulumi.ComponentResource {
  readonly nodes: ScheduledJobNodes;

  /**
   * Returns the maximum number of pods in one run of a job with these args, and the requests of
   * each pod.
   */
  static peakPods(
    name: string,
    args: Pick<ScheduledJobArgs, "parallelism" | "requests">,
  ): PodRequirement {
    const { parallelism = 1, requests = defaults.requests } = args;
    return { name, pods: parallelism, requests };
  }

  constructor(name: string, args: ScheduledJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:ScheduledJob", name, args, opts);
    const job = normalize(args);
    assertValid(this, "ScheduledJob", name, scheduledJobIssues(name, job));
    const own = labels(job.identity, "job");
    const serviceAccount =
      job.iamRoleArn === undefined ? undefined : createServiceAccount(this, name, job, own);
    const configMap = createConfigMap(this, name, job, own);
    const cronJob = createCronJob(this, name, job, {
      configMapName: configMap?.metadata.name,
      serviceAccountName: serviceAccount?.metadata.name ?? args.serviceAccountName,
    });
    this.nodes = { cronJob, ...defined({ configMap, serviceAccount }) };
    this.registerOutputs({});
  }
}

/**
 * With this annotation, Pulumi deletes the CronJob and does not wait for the pods of a running job:
 * Kubernetes deletes these pods after the CronJob. By default, the provider deletes in the
 * foreground, and each deletion waits for Kubernetes' garbage collector. In our measurement, the
 * deletion of 100 jobs then took 6 s longer. With the arg `annotations`, you can set `foreground`.
 */
const deletion: Annotations = { "pulumi.com/deletionPropagationPolicy": "background" };

/**
 * Returns the annotations with the recipient and the runbook, for the CronJob and for the Job of
 * each run.
 */
function recipientOf({ onFailure }: ScheduledJobInputs): Annotations {
  if (onFailure === undefined) return {};
  const { runbook, tell } = onFailure;
  return {
    ...defined({ [annotations.runbook]: runbook }),
    [annotations.tell]: tell,
  };
}

function jobSpec(
  name: string,
  job: ScheduledJobInputs,
  named: Named,
): k8s.types.input.batch.v1.JobSpec {
  return applyOverride(job.overrides?.jobSpec, {
    activeDeadlineSeconds: job.activeDeadlineSeconds,
    backoffLimit: job.backoffLimit,
    template: jobPodTemplate(name, job, named),
    // The spec contains no field for an arg without a value, so Kubernetes uses the field's
    // default.
    ...defined({
      completionMode: job.completionMode,
      completions: job.completions,
      parallelism: job.parallelism,
      podFailurePolicy: job.podFailurePolicy,
      podReplacementPolicy: job.podReplacementPolicy,
    }),
    ttlSecondsAfterFinished: job.ttlSecondsAfterFinished,
  });
}

function createCronJob(
  parent: pulumi.Resource,
  name: string,
  job: ScheduledJobInputs,
  named: Named,
): k8s.batch.v1.CronJob {
  const { identity, namespace, release } = job;
  const onFailure = recipientOf(job);
  const all = { ...labels(identity, "job"), ...releaseLabels(identity, release) };
  const added = { ...job, annotations: { ...deletion, ...job.annotations } };
  return new k8s.batch.v1.CronJob(
    name,
    {
      metadata: { ...objectMetadata(added, all, onFailure), name, namespace },
      spec: applyOverride(job.overrides?.cronJobSpec, {
        concurrencyPolicy: job.concurrencyPolicy,
        failedJobsHistoryLimit: job.failedJobsHistoryLimit,
        jobTemplate: {
          metadata: objectMetadata(job, labels(identity, "job"), onFailure),
          spec: jobSpec(name, job, named),
        },
        schedule: job.schedule,
        startingDeadlineSeconds: job.startingDeadlineSeconds,
        successfulJobsHistoryLimit: job.successfulJobsHistoryLimit,
        suspend: job.suspend,
        timeZone: job.timeZone,
      }),
    },
    { parent },
  );
}
