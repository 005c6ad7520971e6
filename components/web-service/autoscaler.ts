import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { autoscaling as defaults } from "../conventions/defaults";
import { applyOverride } from "../conventions/override";
import type { Autoscaling } from "./arg-types";
import { metadataOf } from "./metadata";
import type { WebServiceInputs } from "./normalize";

type Spec = k8s.types.input.autoscaling.v2.HorizontalPodAutoscalerSpec;
type Metric = k8s.types.input.autoscaling.v2.MetricSpec;

/**
 * Returns a metric: the average utilization of one resource in the service's container. The metric
 * does not include sidecars.
 */
function metric(container: string, name: "cpu" | "memory", averageUtilization: number): Metric {
  const target = { averageUtilization, type: "Utilization" };
  return { containerResource: { container, name, target }, type: "ContainerResource" };
}

function autoscalerSpec(name: string, autoscaling: Autoscaling): Spec {
  const { maxReplicas, memoryUtilization, minReplicas } = autoscaling;
  const byDefault = memoryUtilization === undefined ? defaults.cpuUtilization : undefined;
  const { cpuUtilization = byDefault } = autoscaling;
  return {
    maxReplicas,
    metrics: [
      ...(cpuUtilization === undefined ? [] : [metric(name, "cpu", cpuUtilization)]),
      ...(memoryUtilization === undefined ? [] : [metric(name, "memory", memoryUtilization)]),
    ],
    minReplicas,
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
  };
}

/** Creates the autoscaler of the Deployment. Returns undefined without `autoscaling`. */
export function createAutoscaler(
  parent: pulumi.Resource,
  name: string,
  web: WebServiceInputs,
  rollout: pulumi.Input<pulumi.Resource>,
): k8s.autoscaling.v2.HorizontalPodAutoscaler | undefined {
  const { autoscaling, overrides } = web;
  if (autoscaling === undefined) return undefined;
  return new k8s.autoscaling.v2.HorizontalPodAutoscaler(
    name,
    {
      metadata: metadataOf(name, web),
      spec: applyOverride(overrides?.autoscalerSpec, autoscalerSpec(name, autoscaling)),
    },
    // The autoscaler must not scale a Deployment that does not exist yet or is being deleted.
    { dependsOn: rollout, parent },
  );
}
