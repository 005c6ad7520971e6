import { pod as defaults } from "../../components/conventions/defaults";
import type { Source } from "../../components/conventions/connections";

/**
 * A probe pod opens connections in place of a source, such as the service or a job. The probe pod
 * has the source's labels, but not the source's other settings.
 */

export type Labels = Readonly<Record<string, string>>;

/**
 * Label of every object that a probe creates. The next probe uses the label to find the objects
 * that a killed probe left.
 */
export const probeLabel = "connection-probe";

/** Seconds after which a probe pod ends, even if nothing deletes the pod. */
const lifetimeSeconds = 120;

/** Sources that a probe pod can act as, each with the component in the pod's labels. */
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

/**
 * Name of the container that opens the connections. A migration runs in an init container, as in
 * the service's pods.
 */
export const containerOf = (source: PodSource) => (source === "migration" ? "migrate" : "probe");

/**
 * Labels of a probe pod: the label of the probe, and the labels that the network policies use to
 * select the source. The pods of the service's Deployment have more labels.
 */
function labelsOf(source: PodSource, instance: Labels): Labels {
  const component = podSources[source];
  return {
    [probeLabel]: podName(source),
    ...(component === undefined ? {} : { ...instance, "app.kubernetes.io/component": component }),
  };
}

/**
 * Fields that the specs of all probe pods and of their containers have. The pods meet Pod Security
 * `restricted`, and do not use the cluster's API.
 */
export const restricted = {
  container: {
    imagePullPolicy: "IfNotPresent",
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    },
  },
  pod: {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: "Never",
    securityContext: {
      runAsGroup: defaults.userId,
      runAsNonRoot: true,
      runAsUser: defaults.userId,
      seccompProfile: { type: "RuntimeDefault" },
    },
    // `sleep` ignores SIGTERM, so a grace period is useless.
    terminationGracePeriodSeconds: 0,
  },
} as const;

/**
 * Returns a pod that sleeps until the probe runs a command in it. The pod is never Ready, so no
 * Service sends requests to the pod. The pod fits into the quota, meets Pod Security `restricted`,
 * and ends after two minutes in any case.
 */
export function probePod(source: PodSource, image: string, instance: Labels): object {
  const container = {
    ...restricted.container,
    command: ["sleep", String(lifetimeSeconds)],
    image,
    name: containerOf(source),
    resources: { limits: { memory: "32Mi" }, requests: { cpu: "5m", memory: "16Mi" } },
  };
  const never = { exec: { command: ["false"] }, periodSeconds: 30 };
  const waiting = { ...container, name: "probe", readinessProbe: never };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { labels: labelsOf(source, instance), name: podName(source) },
    spec: {
      ...restricted.pod,
      activeDeadlineSeconds: lifetimeSeconds,
      containers: [waiting],
      ...(source === "migration" ? { initContainers: [container] } : {}),
    },
  };
}

/**
 * Returns a namespace for pods of a probe. The namespace has Pod Security `restricted`.
 *
 * @param label label of the namespace. The next probe uses the label to find what a killed probe
 * left
 */
export function probeNamespace(name: string, label: string): object {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      labels: { [label]: "namespace", "pod-security.kubernetes.io/enforce": "restricted" },
      name,
    },
  };
}
