import * as pulumi from "@pulumi/pulumi";
import type { ClusterFacts } from "./cluster";
import { type Identity, labels } from "../components/conventions/labels";

/** What a stack is about to work on. */
export interface Claim {
  /** The only cluster that the stack may change; undefined takes any. */
  readonly clusterUid: string | undefined;
  readonly identity: Identity;
  readonly namespace: string;
}

/** Labels by which a namespace is known to belong to this service and this instance. */
const owned = [
  "app.kubernetes.io/managed-by",
  "app.kubernetes.io/part-of",
  "app.kubernetes.io/instance",
] as const;

/**
 * Stops the program where going on would take over what is not the stack's: the pinned Kubernetes
 * provider silently adopts an existing namespace, and a preview says nothing about it.
 *
 * @throws pulumi.RunError of one line that names what is in the way.
 */
export function refuseForeign(claim: Claim, facts: ClusterFacts): void {
  const { clusterUid, identity, namespace } = claim;
  if (clusterUid !== undefined && clusterUid !== facts.clusterUid) {
    throw new pulumi.RunError(
      `This stack belongs to the cluster ${clusterUid}, but the kubeconfig leads to ` +
        `${facts.clusterUid}: choose the right context, or correct the setting "clusterUid".`,
    );
  }
  const found = facts.namespace;
  if (found === undefined) return;
  const expected = labels(identity, "namespace");
  const foreign = owned.find((label) => found.labels[label] !== expected[label]);
  if (foreign !== undefined) {
    throw new pulumi.RunError(
      `Namespace "${namespace}" exists and is not this stack's: its label ${foreign} is ` +
        `${JSON.stringify(found.labels[foreign] ?? "")}, not ${JSON.stringify(expected[foreign])}. ` +
        `Nothing was changed: choose another by the setting "namespace", or remove it.`,
    );
  }
  if (found.terminating) {
    throw new pulumi.RunError(
      `Namespace "${namespace}" is being deleted: wait until it is gone, then run again.`,
    );
  }
}
