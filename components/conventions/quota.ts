import { type Checked } from "./validation";
import { reviewNamespace } from "./defaults";
import { type Requests, cores, memoryBytes } from "./quantities";

const mebi = 2 ** 20;

/** Maximum total requests and maximum number of pods in a namespace. */
export interface Quota extends Requests {
  /**
   * Number of pods, not counting pods that have finished. If the number is too low, the cluster
   * refuses pods, and a rollout waits for these pods.
   */
  readonly pods: number;
}

/** The largest number of pods of one workload that run at the same time, and their requests. */
export interface PodRequirement {
  /** Name of the workload in the error message. Use a different name for each workload. */
  readonly name: string;
  /**
   * Number of pods, including the pods that a rollout adds and the pods that are terminating. If
   * this number is too low, the check passes, but the cluster refuses pods later.
   */
  readonly pods: number;
  /**
   * Requests of each pod. If these requests are too low, the check passes, but the cluster refuses
   * pods later.
   */
  readonly requests: Requests;
}

/**
 * Returns the largest number of pods during a rolling update: `replicas` plus twice the pods that
 * `maxSurge` allows. The result is at most twice `replicas`, because a rollout creates at most
 * `replicas` new pods. Kubernetes rounds `maxSurge` up.
 *
 * The factor is two because Kubernetes starts the next new pods when old pods begin to terminate. A
 * quota counts these old pods until Kubernetes has deleted them, but at most for twice their grace
 * period.
 */
export function peakPods(replicas: number, maxSurge: number | string): number {
  const surge =
    typeof maxSurge === "number"
      ? maxSurge
      : Math.ceil((replicas * Number.parseInt(maxSurge)) / 100);
  return replicas + Math.min(replicas, 2 * surge);
}

/**
 * Returns a quota's limits for the space on the nodes' disks. The limits allow two containers with
 * the default limit in each pod, so a namespace with such pods first reaches the maximum number of
 * pods.
 */
export function ephemeralStorage(pods: number): Readonly<Record<string, string>> {
  const { limit, request } = reviewNamespace.containerStorage;
  const sum = (each: string) => `${String((2 * pods * (memoryBytes(each) ?? 0)) / mebi)}Mi`;
  return {
    "limits.ephemeral-storage": sum(limit),
    "requests.ephemeral-storage": sum(request),
  };
}

/**
 * Returns an issue if the quota is too small for the stack's pods. Without this check, Kubernetes
 * would reject pods later, and only an event would show the reason.
 */
export function quotaIssue(quota: Quota, requirements: readonly PodRequirement[]): Checked {
  const sum = (amount: (requirement: PodRequirement) => number) =>
    requirements.reduce((total, requirement) => total + requirement.pods * amount(requirement), 0);
  const pods = sum(() => 1);
  // Adds integers (thousandths of a core, and mebibytes), because sums of floating-point numbers
  // are not exact.
  const milli = sum(({ requests }) => Math.round((cores(requests.cpu) ?? 0) * 1000));
  const memory = sum(({ requests }) => (memoryBytes(requests.memory) ?? 0) / mebi);
  const fits =
    pods <= quota.pods &&
    milli <= Math.round((cores(quota.cpu) ?? 0) * 1000) &&
    memory <= (memoryBytes(quota.memory) ?? 0) / mebi;
  if (fits) return undefined;
  const parts = requirements.map(({ name, pods }) => `${String(pods)} ${name}`).join(", ");
  return {
    arg: "quota",
    got: quota,
    rule: `have room for ${String(pods)} pods, ${String(milli)}m CPU and ${String(memory)}Mi memory (${parts})`,
    fix: "lower replicas or requests, suspend jobs, or raise the quota",
  };
}
