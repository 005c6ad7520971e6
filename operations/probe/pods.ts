import { pod as defaults } from "../../components/conventions/defaults";
import type { Source } from "../../components/conventions/connections";

/**
 * Pods that open connections in the place of a party. They have its labels, but not its other
 * settings.
 */

export type Labels = Readonly<Record<string, string>>;

/** Label of every object of a probe. With it, the next probe finds what a killed probe left. */
export const probeLabel = "connection-probe";

/** Seconds after which a pod ends, even if nothing deletes it. */
const lifetimeSeconds = 120;

/** Sources that a probe pod can act as, and the component in their labels. */
export const podSources = {
  service: "web",
  migration: "web",
  job: "job",
  database: "database",
  "another pod": undefined,
  "other namespaces": undefined,
} as const satisfies Partial<Record<Source, string | undefined>>;
export type PodSource = keyof typeof podSources;

export const podName = (source: PodSource) => `probe-${source.replaceAll(" ", "-")}`;

/** The migration is an init container, as in the service's pods. */
export const containerOf = (source: PodSource) => (source === "migration" ? "migrate" : "probe");

/** Labels that the policies select the party by. Pods of the service's Deployment have more. */
function labelsOf(source: PodSource, instance: Labels): Labels {
  const component = podSources[source];
  return {
    [probeLabel]: podName(source),
    ...(component === undefined ? {} : { ...instance, "app.kubernetes.io/component": component }),
  };
}

/**
 * A pod that sleeps until the probe runs a command in it.
 * It is never ready, so no Service sends requests to it. It fits into the quota and into Pod
 * Security `restricted`, and ends after two minutes in any case.
 */
export function probePod(source: PodSource, image: string, instance: Labels): object {
  const container = {
    command: ["sleep", String(lifetimeSeconds)],
    image,
    imagePullPolicy: "IfNotPresent",
    name: containerOf(source),
    resources: { limits: { memory: "32Mi" }, requests: { cpu: "5m", memory: "16Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    },
  };
  const never = { exec: { command: ["false"] }, periodSeconds: 30 };
  const waiting = { ...container, name: "probe", readinessProbe: never };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { labels: labelsOf(source, instance), name: podName(source) },
    spec: {
      activeDeadlineSeconds: lifetimeSeconds,
      automountServiceAccountToken: false,
      containers: [waiting],
      enableServiceLinks: false,
      ...(source === "migration" ? { initContainers: [container] } : {}),
      restartPolicy: "Never",
      securityContext: {
        runAsGroup: defaults.userId,
        runAsNonRoot: true,
        runAsUser: defaults.userId,
        seccompProfile: { type: "RuntimeDefault" },
      },
      // `sleep` ignores SIGTERM.
      terminationGracePeriodSeconds: 0,
    },
  };
}

/** A namespace for the pod that acts as all other namespaces. */
export function otherNamespace(name: string): object {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      labels: { [probeLabel]: "namespace", "pod-security.kubernetes.io/enforce": "restricted" },
      name,
    },
  };
}
