import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { autoscaling as defaults } from "../conventions/defaults";
import { type ValidationIssue, check, integer } from "../conventions/validation";
import { applyOverride } from "../conventions/override";
import type { Autoscaling } from "./args";
import type { WebServiceOverrides } from "./overrides";

type Spec = k8s.types.input.autoscaling.v2.HorizontalPodAutoscalerSpec;
type Metric = k8s.types.input.autoscaling.v2.MetricSpec;

/** Mean use of one resource by the service's own container: a sidecar's does not count. */
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

/** What changes the number of pods by their load. */
export function createAutoscaler(
  parent: pulumi.Resource,
  deployment: k8s.apps.v1.Deployment,
  given: {
    readonly autoscaling: Autoscaling;
    readonly metadata: k8s.types.input.meta.v1.ObjectMeta;
    readonly name: string;
    readonly overrides: WebServiceOverrides;
  },
): k8s.autoscaling.v2.HorizontalPodAutoscaler {
  const { autoscaling, metadata, name, overrides } = given;
  const spec = applyOverride(overrides.autoscalerSpec, autoscalerSpec(name, autoscaling));
  // There is nothing to scale before the Deployment, and nobody may scale one that is being deleted.
  const opts = { dependsOn: deployment, parent };
  return new k8s.autoscaling.v2.HorizontalPodAutoscaler(name, { metadata, spec }, opts);
}

/** Issues of `autoscaling`, which decides about `replicas` alone. */
export function autoscalingIssues(
  autoscaling: Autoscaling | undefined,
  replicas: number | undefined,
): readonly (ValidationIssue | undefined)[] {
  if (autoscaling === undefined) return [];
  const { cpuUtilization = 1, maxReplicas, memoryUtilization = 1, minReplicas } = autoscaling;
  return [
    check(replicas === undefined, {
      arg: "replicas",
      got: replicas,
      rule: "be left out with autoscaling",
      fix: "say it by autoscaling.minReplicas",
    }),
    integer("autoscaling.minReplicas", minReplicas, 1, 1000),
    integer("autoscaling.maxReplicas", maxReplicas, Math.max(1, minReplicas), 1000),
    integer("autoscaling.cpuUtilization", cpuUtilization, 1, 1000),
    integer("autoscaling.memoryUtilization", memoryUtilization, 1, 100),
  ];
}
