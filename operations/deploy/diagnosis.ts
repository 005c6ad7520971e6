import { type ContainerStatus, type Deployment, type Pod, containersOf } from "../clients/kubectl";

type FailedPod = Pick<Pod, "metadata" | "status">;

/** Objects of a namespace whose deploy failed: only the fields that are read. */
export interface Findings {
  readonly deployments: readonly Pick<Deployment, "metadata" | "status">[];
  readonly events: readonly Event[];
  readonly pods: readonly FailedPod[];
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
  /** Whether to read the log of the previous run: the current run may not have written any. */
  readonly previous: boolean;
}

export interface Diagnosis {
  readonly causes: readonly string[];
  readonly suspects: readonly Suspect[];
}

/** How many of one kind are shown: the tenth pod fails for the same reason as the first. */
const most = 5;

/**
 * Why a deploy failed, most useful first: what Kubernetes refused, the state of the pods, and
 * warnings since the deploy began.
 */
export function diagnose({ deployments, events, pods }: Findings, since: Date): Diagnosis {
  const refused = deployments.flatMap(({ metadata, status }) =>
    (status?.conditions ?? [])
      .filter(({ status, type }) => type === "ReplicaFailure" && status === "True")
      .map(({ message = "" }) => `Deployment ${metadata.name} gets no pod: ${message}`),
  );
  const broken = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const issues = broken.flatMap(podIssues);
  const warnings = recentWarnings(events, since);
  return {
    causes: [...new Set([...refused, ...issues.slice(0, most), ...warnings])],
    suspects: broken.flatMap(suspectsOf).slice(0, 3),
  };
}

function recentWarnings(events: readonly Event[], since: Date): readonly string[] {
  const seen = new Set<string>();
  return [...events]
    .filter(({ type }) => type === "Warning")
    .map((event) => ({ event, time: new Date(event.lastTimestamp ?? event.eventTime ?? 0) }))
    .filter(({ time }) => time >= since)
    .sort((a, b) => b.time.getTime() - a.time.getTime())
    .filter(({ event: { involvedObject, reason = "" } }) => {
      // Pods of one ReplicaSet have the same events, each under its own name.
      const same = `${involvedObject.kind} ${reason}`;
      return seen.has(same) ? false : seen.add(same).has(same);
    })
    .slice(0, most)
    .map(
      ({ event: { involvedObject: object, message = "", reason = "" } }) =>
        `${object.kind} ${object.name}: ${reason}: ${message.trim()}`,
    );
}

function podIssues(pod: FailedPod): readonly string[] {
  const { metadata, status } = pod;
  const unschedulable = (status.conditions ?? []).find(
    (condition) => condition.type === "PodScheduled" && condition.status === "False",
  );
  if (unschedulable !== undefined) {
    return [`Pod ${metadata.name} finds no node: ${unschedulable.message ?? ""}`];
  }
  return containersOf(pod).flatMap((container) => {
    const issue = containerIssue(container);
    return issue === undefined ? [] : [`Pod ${metadata.name}, ${container.name}: ${issue}`];
  });
}

function containerIssue({ lastState, ready, state }: ContainerStatus): string | undefined {
  const ended = state?.terminated ?? lastState?.terminated;
  const killed =
    ended === undefined || ended.exitCode === 0
      ? []
      : [`ended with exit code ${String(ended.exitCode)} (${ended.reason ?? "Error"})`];
  const { message, reason } = state?.waiting ?? {};
  const waits =
    reason === undefined || reason === "PodInitializing" || reason === "ContainerCreating"
      ? []
      : [`${reason}${message === undefined ? "" : `: ${message}`}`];
  const why = [...killed, ...waits];
  if (why.length > 0) return why.join("; ");
  return ready || state?.terminated !== undefined || state?.waiting !== undefined
    ? undefined
    : "runs, but is not ready";
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
