import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import {
  httpPortName,
  managementPortName,
  migrationName,
  probes,
  seedName,
} from "../conventions/defaults";
import { jdwpOption } from "../conventions/one-off/debugger";
import { trackSelector } from "../conventions/labels";
import { applyOverride } from "../conventions/override";
import {
  commandContainer,
  workloadContainer,
  workloadInitContainers,
  workloadPodSpec,
} from "../pods/workload";
import type { ProbeSettings } from "./arg-types";
import { diagnosticsEnv, diagnosticsMount, diagnosticsVolume } from "./diagnostics";
import { type WebServiceInputs, hasManagementPort } from "./normalize";

type Container = k8s.types.input.core.v1.Container;
type PodSpec = k8s.types.input.core.v1.PodSpec;

/** Name of the debugger's port. */
export const debugPortName = "debug";

/** Returns a function that creates a probe of a web service. */
function httpProbe(web: WebServiceInputs) {
  const port = hasManagementPort(web) ? managementPortName : httpPortName;
  return (ownPath: string, times: object, given: ProbeSettings = {}) => {
    const { path = ownPath, ...givenTimes } = given;
    return { httpGet: { path, port }, ...times, ...givenTimes };
  };
}

function webContainer(name: string, web: WebServiceInputs): Container {
  const { debugPort, javaOptions: given = [], ports = [] } = web;
  const javaOptions = [...given, ...(debugPort === undefined ? [] : [jdwpOption(debugPort)])];
  const probe = httpProbe(web);
  const port = (containerPort: number, name: string) => ({ containerPort, name, protocol: "TCP" });
  const volumeMounts = [...(web.volumeMounts ?? []), diagnosticsMount];
  const container = workloadContainer({ ...web, javaOptions, volumeMounts }, name, web.args, [
    ...diagnosticsEnv(web),
    { name: "DRAIN_SECONDS", value: String(web.drainSeconds) },
    ...(hasManagementPort(web)
      ? [{ name: "MANAGEMENT_PORT", value: String(web.managementPort) }]
      : []),
    { name: "PORT", value: String(web.port) },
  ]);
  return applyOverride(web.overrides?.container, {
    ...container,
    // Load balancers still send requests to a terminating pod for some seconds, so the pod
    // continues to serve requests. `sleep` is an action of the kubelet, so the image needs no
    // shell.
    lifecycle: { preStop: { sleep: { seconds: web.preStopSeconds } } },
    livenessProbe: probe(probes.live, probes.liveness, web.livenessProbe),
    ports: [
      port(web.port, httpPortName),
      ...(hasManagementPort(web) ? [port(web.managementPort, managementPortName)] : []),
      ...(debugPort === undefined ? [] : [port(debugPort, debugPortName)]),
      ...ports.map((extra) => port(extra.port, extra.name)),
    ],
    readinessProbe: probe(probes.ready, probes.readiness, web.readinessProbe),
    startupProbe: probe(probes.live, probes.startup, web.startupProbe),
  });
}

/**
 * Returns rules for the scheduler: if possible, spread the pods evenly over zones, and run the pods
 * on different nodes.
 */
function spread(web: WebServiceInputs): Pick<PodSpec, "affinity" | "topologySpreadConstraints"> {
  const labelSelector = { matchLabels: trackSelector(web.identity, "web", web.track) };
  const zones: k8s.types.input.core.v1.TopologySpreadConstraint = {
    labelSelector,
    // The scheduler counts only the pods of the same ReplicaSet, and not the old pods that the
    // rollout will remove.
    matchLabelKeys: ["pod-template-hash"],
    maxSkew: 1,
    topologyKey: "topology.kubernetes.io/zone",
    // If a zone fails, a rollout must still be able to continue.
    whenUnsatisfiable: "ScheduleAnyway",
  };
  const nodes: k8s.types.input.core.v1.WeightedPodAffinityTerm = {
    podAffinityTerm: { labelSelector, topologyKey: "kubernetes.io/hostname" },
    weight: 100,
  };
  return {
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [nodes] } },
    topologySpreadConstraints: [zones],
  };
}

/** Names of the objects to which the pods refer. */
export interface Named {
  readonly configMapName: pulumi.Input<string> | undefined;
  readonly serviceAccountName: pulumi.Input<string>;
}

/**
 * Returns the pod spec: the service's container, and the init containers for migration and seed.
 */
export function webPodSpec(name: string, web: WebServiceInputs, named: Named): PodSpec {
  const { configMapName, serviceAccountName } = named;
  const before = [
    { args: web.migrationArgs, name: migrationName },
    { args: web.seedArgs, name: seedName },
  ].filter(({ args }) => args.length > 0);
  const volumes = [...(web.volumes ?? []), diagnosticsVolume(web)];
  return applyOverride(web.overrides?.podSpec, {
    ...workloadPodSpec({ ...web, volumes }, configMapName),
    ...spread(web),
    containers: [webContainer(name, web)],
    ...workloadInitContainers(
      web,
      before.map(({ args, name }) => commandContainer(web, name, args)),
    ),
    serviceAccountName,
    terminationGracePeriodSeconds: web.terminationGracePeriodSeconds,
  });
}
