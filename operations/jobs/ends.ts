import { podIssues } from "../../components/conventions/rollout/pod-status";
import type { Pod } from "../clients/kubectl";
import type { Run } from "./runs";

/**
 * A pod, with the fields that determine whether Kubernetes may take termination messages from the
 * log.
 */
interface FailedPod extends Pod {
  readonly spec: {
    readonly containers: readonly {
      readonly image: string;
      readonly name: string;
      readonly terminationMessagePolicy?: string;
    }[];
    readonly initContainers?: FailedPod["spec"]["containers"];
  };
}

/**
 * Returns why a run failed: the cause from Kubernetes, and then how the containers of the last pod
 * ended. The text contains no lines of logs, because a log may contain names of customers.
 *
 * @param pods the pods of the run, the oldest first
 */
export function endOfRun(run: Run, pods: readonly Pod[]): string {
  const last = pods.at(-1);
  const ends = last === undefined ? [] : podIssues(withoutLogs(last as FailedPod));
  const retries = pods.length > 1 ? [`The last of ${String(pods.length)} tries:`] : [];
  return [
    run.cause ?? "Kubernetes gives no cause",
    ...(ends.length === 0
      ? ["The cluster no longer has a failed pod of this run."]
      : [...retries, ...ends]),
  ].join("\n");
}

/**
 * Removes the termination messages of containers with
 * `terminationMessagePolicy: FallbackToLogsOnError`, because Kubernetes may take these messages
 * from the container's log. No component of this project sets this policy, but an override can set
 * this policy.
 */
function withoutLogs(pod: FailedPod): Pod {
  const { containers, initContainers = [] } = pod.spec;
  const fromLog = new Set(
    [...initContainers, ...containers]
      .filter((one) => one.terminationMessagePolicy === "FallbackToLogsOnError")
      .map(({ name }) => name),
  );
  if (fromLog.size === 0) return pod;
  const cleaned = (all: Pod["status"]["containerStatuses"] = []) =>
    all.map((one) => {
      const ended = one.state?.terminated;
      if (ended === undefined || !fromLog.has(one.name)) return one;
      const { exitCode, reason } = ended;
      return {
        ...one,
        state: { terminated: { exitCode, ...(reason === undefined ? {} : { reason }) } },
      };
    });
  const { containerStatuses, initContainerStatuses } = pod.status;
  return {
    ...pod,
    status: {
      ...pod.status,
      containerStatuses: cleaned(containerStatuses),
      initContainerStatuses: cleaned(initContainerStatuses),
    },
  };
}
