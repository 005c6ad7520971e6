import {
  type ReplicaSet,
  hashLabel,
  newestHashes,
} from "../../components/conventions/rollout/newest";
import {
  containerIssue,
  containersOf,
  podIssues,
} from "../../components/conventions/rollout/pod-status";
import type { Deployment, Pod } from "../clients/kubectl";

type FailedPod = Pick<Pod, "metadata" | "status">;

/** Objects in the namespace of a failed deploy: only the fields that the diagnosis reads. */
export interface Findings {
  readonly deployments: readonly Pick<Deployment, "metadata" | "status">[];
  readonly events: readonly Event[];
  readonly pods: readonly FailedPod[];
  readonly replicaSets: readonly ReplicaSet[];
}

export interface Event {
  readonly eventTime?: string | null;
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly lastTimestamp?: string | null;
  readonly message?: string;
  readonly reason?: string;
  readonly type: string;
}

/** A container whose log may explain the failure. */
interface Suspect {
  readonly container: string;
  readonly pod: string;
  /**
   * Whether to read the log of the container's previous run. The current run may not have a log
   * yet.
   */
  readonly previous: boolean;
}

export interface Diagnosis {
  readonly causes: readonly string[];
  readonly suspects: readonly Suspect[];
}

/**
 * Largest number of issues of pods that the report shows. The report also shows at most this number
 * of warnings. Further pods usually fail for the same reason as the first pods.
 */
const most = 5;

/**
 * Finds the causes of a failed deploy. The most useful causes come first: what Kubernetes refused,
 * then the state of the pods, then warnings since the deploy began. Ignores pods of an earlier
 * release and of earlier job runs.
 */
export function diagnose(findings: Findings, since: Date): Diagnosis {
  const { deployments } = findings;
  const refused = deployments.flatMap(({ metadata, status }) =>
    (status?.conditions ?? [])
      .filter(({ status, type }) => type === "ReplicaFailure" && status === "True")
      .map(({ message = "" }) => `Deployment ${metadata.name} gets no pod: ${message}`),
  );
  const broken = ownPods(findings, since);
  const events = findings.events.filter(isOwn(findings, broken));
  const issues = broken.flatMap(podIssues);
  // A BackOff event only says that the kubelet waits before its next try. The state of the pod has
  // more details about the cause.
  const told = issues.length > 0 ? events.filter(({ reason }) => reason !== "BackOff") : events;
  const warnings = recentWarnings(told, since);
  return {
    causes: [...new Set([...refused, ...issues.slice(0, most), ...warnings])],
    suspects: broken.flatMap(suspectsOf).slice(0, 3),
  };
}

/** Returns the pods of this deploy, the newest first. */
function ownPods({ pods, replicaSets }: Findings, since: Date): readonly FailedPod[] {
  const newest = newestHashes(replicaSets);
  const created = ({ metadata }: FailedPod): number => Date.parse(metadata.creationTimestamp ?? "");
  return pods
    .filter((pod) => {
      const { deletionTimestamp, labels = {} } = pod.metadata;
      if (deletionTimestamp !== undefined) return false;
      const hash = labels[hashLabel];
      // If no ReplicaSet is known, for example because kubectl could not list the ReplicaSets,
      // every pod may belong to this deploy.
      if (hash !== undefined) return newest.size === 0 || newest.has(hash);
      const isJob = labels["batch.kubernetes.io/job-name"] !== undefined;
      return !isJob || created(pod) >= since.getTime();
    })
    .sort((one, other) => created(other) - created(one) || 0);
}

/**
 * Returns a function that returns whether an event is about this deploy. A warning about an old pod
 * does not count: the readiness probe of an old pod fails while the pod ends. A pod of this deploy
 * may already be gone. The function recognizes such a pod by its name, which contains the hash of
 * the ReplicaSet.
 */
function isOwn({ replicaSets }: Findings, own: readonly FailedPod[]) {
  const hashes = [...newestHashes(replicaSets)];
  const names = new Set(own.map(({ metadata }) => metadata.name));
  return ({ involvedObject: { kind, name } }: Event): boolean =>
    hashes.length === 0 ||
    (kind !== "Pod" && kind !== "ReplicaSet") ||
    names.has(name) ||
    hashes.some((hash) => `${name}-`.includes(`-${hash}-`));
}

function recentWarnings(events: readonly Event[], since: Date): readonly string[] {
  const seen = new Set<string>();
  return [...events]
    .filter(({ type }) => type === "Warning")
    .map((event) => ({ event, time: new Date(event.lastTimestamp ?? event.eventTime ?? 0) }))
    .filter(({ time }) => time >= since)
    .sort((a, b) => b.time.getTime() - a.time.getTime())
    .filter(({ event: { involvedObject, reason = "" } }) => {
      // The warnings for the pods of one ReplicaSet differ only in the pod's name, so one warning
      // is enough.
      const same = `${involvedObject.kind} ${reason}`;
      return seen.has(same) ? false : seen.add(same).has(same);
    })
    .slice(0, most)
    .map(
      ({ event: { involvedObject: object, message = "", reason = "" } }) =>
        `${object.kind} ${object.name}: ${reason}: ${message.trim()}`,
    );
}

function suspectsOf(pod: FailedPod): readonly Suspect[] {
  return containersOf(pod)
    .filter((container) => containerIssue(container) !== undefined)
    .filter(({ restartCount, state }) => restartCount > 0 || state?.waiting === undefined)
    .map(({ name, restartCount, state }) => ({
      container: name,
      pod: pod.metadata.name,
      previous: restartCount > 0 && state?.terminated === undefined,
    }));
}
