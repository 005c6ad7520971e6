import { type Checked } from "./validation";
import { type Requests, cores, memoryBytes } from "./quantities";

/** Total requests of the pods of a namespace. */
export interface Quota extends Requests {
  /**
   * Number of pods, without those that have finished. Too low: the cluster refuses pods, and a
   * rollout waits for them.
   */
  readonly pods: number;
}

/** The most pods of one workload that run at the same time. */
export interface PodRequirement {
  /**
   * Name of the workload in the error. Use a different name for each workload.
   */
  readonly name: string;
  /**
   * Number of pods, including those that a rollout adds and those that are terminating.
   * Too low: the cluster refuses pods later.
   */
  readonly pods: number;
  /** Requests of each pod. Too low: the cluster refuses pods later. */
  readonly requests: Requests;
}

/**
 * Pods that a rolling update may have at the same time: `replicas`, and twice what `maxSurge` adds.
 * Kubernetes rounds `maxSurge` up. A rollout makes no more new pods than `replicas`.
 *
 * Twice, because Kubernetes starts the next pods when the old ones begin to end. The old pods count
 * until they are gone. A quota ignores a pod only after twice its grace period.
 */
export function peakPods(replicas: number, maxSurge: number | string): number {
  const surge =
    typeof maxSurge === "number"
      ? maxSurge
      : Math.ceil((replicas * Number.parseInt(maxSurge)) / 100);
  return replicas + Math.min(replicas, 2 * surge);
}

const mebi = 2 ** 20;

/**
 * An issue if the quota is too small for the stack's pods: Kubernetes would silently refuse pods
 * later.
 */
export function quotaIssue(quota: Quota, requirements: readonly PodRequirement[]): Checked {
  const sum = (amount: (requirement: PodRequirement) => number) =>
    requirements.reduce((total, requirement) => total + requirement.pods * amount(requirement), 0);
  const pods = sum(() => 1);
  // In thousandths and mebibytes: sums of fractions are not exact.
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
