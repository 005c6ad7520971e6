import { pod as defaults } from "../../components/conventions/defaults";
import type { Source } from "../../components/conventions/connections";

/**
 * A probe pod opens connections instead of a source, such as the service or a job. The probe pod
 * has the labels that network policies use to select the source's pods, but no other settings of
 * the source's pods.
 */

export type Labels = Readonly<Record<string, string>>;

/**
 * Label of every object that a probe creates. If a probe is killed, the probe's objects remain, and
 * the next probe finds these objects by this label.
 */
export const probeLabel = "connection-probe";

/** Seconds after which Kubernetes ends a probe pod. So the pods of a killed probe end, too. */
const lifetimeSeconds = 120;

/** Sources that a probe pod can replace. The value is the component in the pod's labels. */
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
 * Returns the name of the container that opens the connections. For a migration, the container is
 * an init container, as in the service's pods.
 */
export const containerOf = (source: PodSource) => (source === "migration" ? "migrate" : "probe");

/**
 * Returns the labels of a probe pod: the probe's label, and the labels that network policies use to
 * select the source's pods. Because other labels are missing, the pod does not belong to the
 * service's Deployment.
 */
function labelsOf(source: PodSource, instance: Labels): Labels {
  const component = podSources[source];
  return {
    [probeLabel]: podName(source),
    ...(component === undefined ? {} : { ...instance, "app.kubernetes.io/component": component }),
  };
}

/**
 * Fields for the specs of all probe pods and their containers. With these fields, the pods meet the
 * Pod Security Standard `restricted`, and have no token for the Kubernetes API.
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
    // `sleep` does not end on SIGTERM, because `sleep` is the container's first process. With 0
    // seconds, Kubernetes kills `sleep` immediately.
    terminationGracePeriodSeconds: 0,
  },
} as const;

/**
 * Returns a pod whose container only sleeps, so that the probe can run commands in the container.
 * The pod is never Ready, so no Service sends requests to the pod. The pod fits into the quota,
 * meets the Pod Security Standard `restricted`, and ends after at most two minutes.
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
 * Returns a namespace for pods of a probe. The namespace enforces the Pod Security Standard
 * `restricted`.
 *
 * @param label label of the namespace. If a probe is killed, the next probe finds the namespace by
 * this label
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
