/** Describes the status of a pod in words. The types have only the fields that this file reads. */

export interface Condition {
  readonly message?: string;
  readonly status: string;
  readonly type: string;
}

interface Terminated {
  readonly exitCode: number;
  readonly message?: string;
  readonly reason?: string;
}

interface ContainerState {
  readonly running?: object;
  readonly terminated?: Terminated;
  readonly waiting?: { readonly message?: string; readonly reason?: string };
}

export interface ContainerStatus {
  readonly lastState?: ContainerState;
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
}

export interface PodStatus {
  readonly conditions?: readonly Condition[];
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly phase: string;
}

export interface PodFacts {
  readonly metadata: {
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly name: string;
  };
  readonly status: PodStatus;
}

export const containersOf = ({ status }: Pick<PodFacts, "status">): readonly ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
];

/**
 * Returns the reasons why the pod is not ready: one line for each container with an issue, or one
 * line if the scheduler found no node for the pod. The list is empty if the pod is ready, or if the
 * containers wait for their first start.
 */
export function podIssues(pod: PodFacts): readonly string[] {
  const { metadata, status } = pod;
  const unschedulable = (status.conditions ?? []).find(
    (condition) => condition.type === "PodScheduled" && condition.status === "False",
  );
  if (unschedulable !== undefined) {
    return [`Pod ${metadata.name} finds no node: ${unschedulable.message ?? ""}`];
  }
  return containersOf(pod).flatMap((container) => {
    const isInit = status.initContainerStatuses?.includes(container) === true;
    const issue =
      isInit && container.state?.running !== undefined ? "still runs" : containerIssue(container);
    return issue === undefined ? [] : [`Pod ${metadata.name}, ${container.name}: ${issue}`];
  });
}

/** Reasons that Kubernetes gives while a container waits for its first start. */
const starting: readonly (string | undefined)[] = [
  undefined,
  "ContainerCreating",
  "PodInitializing",
];

/**
 * Returns the reason why the container does not run or is not ready. Undefined if nothing is wrong.
 */
export function containerIssue(container: ContainerStatus): string | undefined {
  const { lastState, ready, state } = container;
  // If the container is ready again, an earlier restart is not an issue.
  if (ready && state?.terminated === undefined) return undefined;
  const ended = state?.terminated ?? lastState?.terminated;
  const killed =
    ended === undefined || (ended.exitCode === 0 && container.restartCount === 0)
      ? []
      : [endOf(ended)];
  const { message, reason } = state?.waiting ?? {};
  // The message of CrashLoopBackOff only repeats the names of the pod and the container.
  const told = message === undefined || reason === "CrashLoopBackOff" ? "" : `: ${message}`;
  const waits = starting.includes(reason) ? [] : [`${reason ?? ""}${told}`];
  const why = [...killed, ...waits];
  if (why.length > 0) return why.join("; ");
  return ready || state?.terminated !== undefined || state?.waiting !== undefined
    ? undefined
    : "runs, but is not ready";
}

/** Maximum length of the termination message in a text, in characters. */
const messageLength = 300;

/** The meaning of exit codes that many readers do not know. */
const meanings: Readonly<Record<number, string>> = {
  137: "killed, for example because a liveness probe failed or the node had no memory left",
  139: "the process crashed in native code",
  143: "asked to end, for example because a liveness probe failed",
};

/**
 * Returns how a container ended: its exit code, what the code means, and its termination message.
 */
function endOf({ exitCode, message = "", reason = "Error" }: Terminated): string {
  const means = reason === "OOMKilled" ? "it used more memory than its limit" : meanings[exitCode];
  const told = message.trim().replace(/\s+/g, " ").slice(-messageLength);
  const more = [means ?? "", told].filter((text) => text !== "").join(": ");
  return `ended with exit code ${String(exitCode)} (${reason})${more === "" ? "" : `: ${more}`}`;
}
