import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { labels, releaseLabels } from "../conventions/labels";
import { podMetadata } from "../conventions/metadata";
import { applyOverride } from "../conventions/override";
import { logAnnotations } from "../pods/datadog";
import {
  type Workload,
  commandContainer,
  workloadInitContainers,
  workloadPodSpec,
} from "../pods/workload";
import type { ScheduledJobOverrides } from "./args";

/** Args of a pod that runs one command of the service and ends. */
export interface CommandWorkload extends Workload {
  readonly args: readonly string[];
  readonly overrides?: Pick<ScheduledJobOverrides, "container" | "podSpec">;
}

/** Names of the ConfigMap and the ServiceAccount of the pods. */
export interface Named {
  readonly configMapName?: pulumi.Input<string> | undefined;
  readonly serviceAccountName: pulumi.Input<string> | undefined;
}

/** Returns the template of pods that run one command of the service and end. */
export function jobPodTemplate(
  name: string,
  job: CommandWorkload,
  { configMapName, serviceAccountName }: Named,
) {
  const { identity, overrides, release } = job;
  return {
    metadata: podMetadata(
      job,
      { ...labels(identity, "job"), ...releaseLabels(identity, release) },
      logAnnotations(name, identity.service, job),
    ),
    spec: applyOverride<k8s.types.input.core.v1.PodSpec>(overrides?.podSpec, {
      ...workloadPodSpec(job, configMapName),
      containers: [applyOverride(overrides?.container, commandContainer(job, name, job.args))],
      ...workloadInitContainers(job, []),
      // Each retry starts a new pod, so that the failed pod keeps its log.
      restartPolicy: "Never",
      ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    }),
  };
}
