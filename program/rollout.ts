import { setTimeout as sleep } from "node:timers/promises";
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** What a Deployment says about its rollout. */
export interface DeploymentFacts {
  readonly metadata: { readonly generation?: number };
  readonly spec: { readonly progressDeadlineSeconds?: number; readonly replicas?: number };
  readonly status?: {
    readonly availableReplicas?: number;
    readonly conditions?: readonly {
      readonly message?: string;
      readonly reason?: string;
      readonly type: string;
    }[];
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
  };
}

/** Reads a Deployment of the stack's namespace; tests pass their own. */
export type ReadDeployment = (name: string) => Promise<DeploymentFacts>;

const pollMs = 1_000;
/** Reads in a row that may fail: an API server that restarts is back after a few. */
const failedReads = 5;
/** Seconds to wait after `progressDeadlineSeconds`: Kubernetes reports the failure first. */
const marginSeconds = 30;

/**
 * The Deployment, once its rollout is complete. Pulumi's provider waits for the rollout too. But it
 * can call a return to an earlier release complete before it has begun: the earlier ReplicaSet is
 * still there, and the Deployment's conditions are still those of the release before
 * (https://github.com/pulumi/pulumi-kubernetes/blob/v4.25.0/provider/pkg/await/deployment.go).
 *
 * @throws pulumi.RunError if there is no progress for longer than `progressDeadlineSeconds`.
 */
export function rolledOut(
  deployment: k8s.apps.v1.Deployment,
  read: ReadDeployment,
): pulumi.Output<k8s.apps.v1.Deployment> {
  // In a preview the status of a Deployment that changes is not known.
  if (pulumi.runtime.isDryRun()) return deployment.urn.apply(() => deployment);
  const { metadata, spec, status } = deployment;
  return pulumi.all([metadata, spec, status]).apply(async ([metadata, spec, status]) => {
    const known: DeploymentFacts = { metadata, spec, status };
    // The provider gives every Deployment a status, and mocks of a test do not.
    if (known.status !== undefined && waitingFor(known) !== undefined) {
      await complete(metadata.name, read, (text) =>
        pulumi.log.info(text, deployment, undefined, true),
      );
    }
    return deployment;
  });
}

async function complete(
  name: string,
  read: ReadDeployment,
  say: (text: string) => Promise<void>,
): Promise<void> {
  let changed = Date.now();
  let last = "";
  for (;;) {
    const facts = await patiently(async () => read(name));
    const waits = waitingFor(facts);
    if (waits === undefined) return;
    if (waits !== last) {
      changed = Date.now();
      last = waits;
      await say(waits);
    }
    const { progressDeadlineSeconds = 600 } = facts.spec;
    const failed = failureOf(facts);
    const late = Date.now() - changed > (progressDeadlineSeconds + marginSeconds) * 1000;
    if (failed !== undefined || late) {
      throw new pulumi.RunError(
        `The rollout of Deployment "${name}" failed: ${failed ?? `no progress while ${waits}`}.`,
      );
    }
    await sleep(pollMs);
  }
}

async function patiently<Value>(read: () => Promise<Value>): Promise<Value> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await read();
    } catch (error) {
      if (tried === failedReads) throw error;
    }
    await sleep(pollMs);
  }
}

const conditionOf = ({ status }: DeploymentFacts) =>
  status?.conditions?.find(({ type }) => type === "Progressing");

function failureOf(facts: DeploymentFacts): string | undefined {
  const condition = conditionOf(facts);
  if (condition?.reason !== "ProgressDeadlineExceeded") return undefined;
  return condition.message?.replace(/\.$/, "") ?? "it made no progress in time";
}

/** What the rollout waits for, by the rules of `kubectl rollout status`. Undefined if complete. */
function waitingFor(facts: DeploymentFacts): string | undefined {
  const { metadata, spec, status = {} } = facts;
  const { availableReplicas = 0, observedGeneration = 0, updatedReplicas = 0 } = status;
  const { replicas: wanted = 1 } = spec;
  const old = (status.replicas ?? 0) - updatedReplicas;
  const count = (pods: number, state: string): string =>
    `${String(pods)} of ${String(wanted)} new pods ${state}`;
  if (observedGeneration < (metadata.generation ?? 0)) return "Kubernetes reads the new release";
  if (updatedReplicas < wanted) return count(updatedReplicas, "exist");
  if (old > 0) return `${count(availableReplicas, "available")}, ${String(old)} old pods end`;
  // A pod that fails after a complete rollout does not make the rollout incomplete.
  if (availableReplicas < wanted && conditionOf(facts)?.reason !== "NewReplicaSetAvailable") {
    return count(availableReplicas, "available");
  }
  return undefined;
}
