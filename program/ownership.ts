import * as pulumi from "@pulumi/pulumi";
import type { ClusterFacts } from "./cluster";
import { type Identity, foreignLabel, labels } from "../components/conventions/labels";

/** The cluster and the namespace that a stack uses. */
export interface Claim {
  /**
   * UID of the only cluster that the stack may change. If undefined, the stack may change any
   * cluster.
   */
  readonly clusterUid: string | undefined;
  readonly identity: Identity;
  readonly namespace: string;
}

/**
 * Checks that the cluster and the namespace belong to the stack. Without this check, the Kubernetes
 * provider would adopt an existing namespace that belongs to someone else. A preview would not show
 * that the namespace already exists.
 *
 * @throws pulumi.RunError with one line, if the cluster or the namespace does not belong to the
 * stack, or if Kubernetes is deleting the namespace.
 */
export function refuseForeign(claim: Claim, facts: ClusterFacts): void {
  const { clusterUid, identity, namespace } = claim;
  if (clusterUid !== undefined && clusterUid !== facts.clusterUid) {
    throw new pulumi.RunError(
      `This stack belongs to the cluster ${clusterUid}, but the kubeconfig points to ` +
        `${facts.clusterUid}: choose the right context, or fix the setting "clusterUid".`,
    );
  }
  const found = facts.namespace;
  if (found === undefined) return;
  const expected = labels(identity, "namespace");
  const foreign = foreignLabel(found.labels, expected);
  if (foreign !== undefined) {
    throw new pulumi.RunError(
      `Namespace "${namespace}" exists and does not belong to this stack: its label ${foreign} is ` +
        `${JSON.stringify(found.labels[foreign] ?? "")}, not ${JSON.stringify(expected[foreign])}. ` +
        `Nothing was changed: choose another namespace with the setting "namespace", or delete the existing namespace.`,
    );
  }
  if (found.terminating) {
    throw new pulumi.RunError(
      `Namespace "${namespace}" is being deleted: wait until it is gone, then run the command again.`,
    );
  }
}
