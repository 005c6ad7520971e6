import { pod as defaults } from "../../components/conventions/defaults";
import type { Source } from "../../components/conventions/connections";

/** Pods that open connections in the name of a party: its labels, and nothing of its work. */

type Labels = Readonly<Record<string, string>>;

/** What all objects of a probe have, so that the next one finds what a killed one left. */
export const probeLabel = "connection-probe";

/** Seconds after which a pod ends by itself, even if it is not deleted. */
const lifetimeSeconds = 120;

/** Sources that a pod can stand for, and the component of their labels. */
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

/** The migration is an init container, as the service's is. */
export const containerOf = (source: PodSource) => (source === "migration" ? "migrate" : "probe");

/** Labels by which the policies know the party. A pod of the service's Deployment has more. */
function labelsOf(source: PodSource, instance: Labels): Labels {
  const component = podSources[source];
  return {
    [probeLabel]: podName(source),
    ...(component === undefined ? {} : { ...instance, "app.kubernetes.io/component": component }),
  };
}

/**
 * A pod that sleeps until it is told what to try. Never ready, so that no Service sends to it;
 * within the quota's room, Pod Security `restricted`, and gone after two minutes whatever happens.
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
      // `sleep` does not listen to SIGTERM.
      terminationGracePeriodSeconds: 0,
    },
  };
}

/** A namespace for the pod that stands for all other ones. */
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
