import { setTimeout as sleep } from "node:timers/promises";
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { cheap } from "../../components/conventions/expected-error";
import type { Labels } from "../../components/conventions/labels";
import { rolloutFailure } from "../../components/conventions/rollout/failure";
import { type NewPods, Obstacles } from "../../components/conventions/rollout/obstacles";
import { podIssues } from "../../components/conventions/rollout/pod-status";
import { type Pace, patiently, usualPace } from "./patience";

/** The fields of a Deployment that describe its rollout. */
export interface DeploymentFacts {
  readonly metadata: { readonly generation?: number };
  readonly spec: {
    readonly progressDeadlineSeconds?: number;
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Labels };
  };
  readonly status?: {
    readonly availableReplicas?: number;
    readonly conditions?: readonly {
      readonly lastUpdateTime?: string;
      readonly message?: string;
      readonly reason?: string;
      readonly status?: string;
      readonly type: string;
    }[];
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
  };
}

/** Functions that read the rollouts of the stack's namespace. Tests pass their own functions. */
export interface Rollouts {
  /** Reads a Deployment by its name. Undefined if the Deployment does not exist. */
  readonly deployment: (name: string) => Promise<DeploymentFacts | undefined>;
  /** Reads the pods of the Deployment's newest ReplicaSet. */
  readonly newPods: (deployment: DeploymentFacts) => Promise<Omit<NewPods, "refused">>;
}

/**
 * Additional seconds. After `progressDeadlineSeconds` without progress, the wait continues for this
 * duration, in which Kubernetes usually reports the failure and a reason.
 */
const marginSeconds = 30;

/**
 * Returns a function that waits for the rollout of a Deployment. That function returns the
 * Deployment as an output that becomes known when the rollout is complete. That function waits
 * while the rollout makes progress. As soon as no new pod can become ready, that function throws an
 * error with the reason.
 *
 * Pulumi's Kubernetes provider could wait for the rollout, too. But the provider has one timeout
 * for the whole rollout, which does not depend on the number of pods. After this timeout, the
 * provider reports that pods are missing, but not the reason.
 *
 * @throws pulumi.RunError in each of these cases:
 * - No new pod can become ready.
 * - Kubernetes reports that the rollout has exceeded `progressDeadlineSeconds`.
 * - There is no progress for `progressDeadlineSeconds` plus 30 seconds.
 * - The rollout takes longer than its maximum duration: `progressDeadlineSeconds` plus 30 seconds,
 * multiplied by the number of pods.
 * - Someone has deleted the Deployment.
 */
export const rolledOut =
  (rollouts: Rollouts, pace = usualPace) =>
  (deployment: k8s.apps.v1.Deployment): pulumi.Output<k8s.apps.v1.Deployment> => {
    // A preview changes no Deployment, so there is nothing to wait for.
    if (pulumi.runtime.isDryRun()) return deployment.urn.apply(() => deployment);
    const { metadata, status } = deployment;
    return pulumi.all([metadata, status]).apply(async ([{ name }, status]) => {
      // The API server gives every Deployment a status. The mocks of a test set no status.
      if ((status as object | undefined) !== undefined) {
        const say = async (text: string): Promise<void> =>
          pulumi.log.info(text, deployment, undefined, true);
        await complete(name, rollouts, pace, say).catch((error: unknown) => {
          throw cheap(error);
        });
      }
      return deployment;
    });
  };

async function complete(
  name: string,
  rollouts: Rollouts,
  { pollMs, quietMs, sayMs }: Pace,
  say: (text: string) => Promise<void>,
): Promise<void> {
  const obstacles = new Obstacles(Date.now());
  /**
   * The texts that `waitingFor` has returned so far. A text that `waitingFor` has returned before
   * is not progress. So the wait ends even if pods start and stop repeatedly.
   */
  const known = new Set<string>();
  const began = Date.now();
  let changed = began;
  let told = began;
  let lastIssue: string | undefined;
  /**
   * Time of the failure that the first read of the Deployment shows. This function ignores this
   * failure, because the failure belongs to an earlier update.
   */
  let earlier: string | undefined;
  const failed = (why: string): pulumi.RunError => new pulumi.RunError(rolloutFailure(name, why));
  for (;;) {
    const facts = await patiently(async () => rollouts.deployment(name), pollMs);
    if (facts === undefined) {
      throw new pulumi.RunError(
        `Deployment "${name}" is in the state, but not in the cluster: someone has deleted it. ` +
          "Run pulumi refresh, and then this command again.",
      );
    }
    const waits = waitingFor(facts);
    if (waits === undefined) return;
    const { progressDeadlineSeconds = 600, replicas = 1 } = facts.spec;
    const mostSeconds = Math.max(1, replicas) * (progressDeadlineSeconds + marginSeconds);
    const isFirst = known.size === 0;
    if (isFirst) earlier = overdue(facts)?.time;
    if (!known.has(waits)) {
      known.add(waits);
      changed = told = Date.now();
      await say(`${waits} (${secondsSince(began)} s of at most ${String(mostSeconds)} s)`);
    }
    if (isFirst || Date.now() - changed >= quietMs) {
      const seen = await patiently(async () => rollouts.newPods(facts), pollMs);
      const doomed = obstacles.at(Date.now(), { ...seen, refused: refusalOf(facts) });
      if (doomed !== undefined) throw failed(doomed);
      const [issue] = seen.pods.flatMap(podIssues);
      if (issue !== lastIssue || Date.now() - told >= sayMs) {
        const since = `for ${secondsSince(changed)} s of at most ${String(progressDeadlineSeconds)} s`;
        await say([`${waits}, ${since}`, ...(issue === undefined ? [] : [issue])].join(". "));
        told = Date.now();
      }
      lastIssue = issue;
    }
    const late = overdue(facts);
    if (late !== undefined && late.time !== earlier) throw failed(lastIssue ?? late.message);
    if (Date.now() - changed > (progressDeadlineSeconds + marginSeconds) * 1000) {
      throw failed(lastIssue ?? `no progress: ${waits}`);
    }
    if (Date.now() - began > mostSeconds * 1000) {
      throw failed(`not complete after ${String(mostSeconds)} s: ${waits}`);
    }
    await sleep(pollMs);
  }
}

const secondsSince = (time: number): string => String(Math.round((Date.now() - time) / 1000));

const conditionOf = ({ status }: DeploymentFacts, wanted: string) =>
  status?.conditions?.find(({ type }) => type === wanted);

/**
 * Returns when and why Kubernetes reported that the rollout had exceeded `progressDeadlineSeconds`.
 * Undefined if Kubernetes has not reported this failure.
 */
function overdue(
  facts: DeploymentFacts,
): { readonly message: string; readonly time: string | undefined } | undefined {
  const condition = conditionOf(facts, "Progressing");
  if (condition?.reason !== "ProgressDeadlineExceeded") return undefined;
  const { lastUpdateTime: time, message = "it made no progress in time" } = condition;
  return { message, time };
}

/**
 * Returns why Kubernetes cannot create a pod, for example because of a quota. Undefined if
 * Kubernetes reports no such failure.
 */
function refusalOf(facts: DeploymentFacts): string | undefined {
  const condition = conditionOf(facts, "ReplicaFailure");
  return condition?.status === "True" ? (condition.message ?? "no reason is given") : undefined;
}

/**
 * Returns a text that says what the rollout waits for, by the same rules as
 * `kubectl rollout status`. Undefined if the rollout is complete.
 */
function waitingFor(facts: DeploymentFacts): string | undefined {
  const { metadata, spec, status = {} } = facts;
  const { availableReplicas = 0, observedGeneration = 0, updatedReplicas = 0 } = status;
  const { replicas: wanted = 1 } = spec;
  const old = (status.replicas ?? 0) - updatedReplicas;
  const named = (pods: number, age: string): string => `${age} ${pods === 1 ? "pod" : "pods"}`;
  const count = (pods: number, state: string): string =>
    `${String(pods)} of ${String(wanted)} ${named(wanted, "new")} ${state}`;
  if (observedGeneration < (metadata.generation ?? 0)) return "Kubernetes reads the new release";
  if (updatedReplicas < wanted) return count(updatedReplicas, "exist");
  if (old > 0) {
    return `${count(availableReplicas, "available")}, ${String(old)} ${named(old, "old")} still there`;
  }
  // If Kubernetes has already reported the rollout as complete, a pod that is not available has
  // failed after the rollout.
  if (
    availableReplicas < wanted &&
    conditionOf(facts, "Progressing")?.reason !== "NewReplicaSetAvailable"
  ) {
    return count(availableReplicas, "available");
  }
  return undefined;
}
