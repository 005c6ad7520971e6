import { service } from "../../config/service";

/**
 * Key of the annotation in which `npm run doctor -- platform` records its last result about network
 * policies. The annotation is on the namespace kube-system. Every role of CI already reads this
 * namespace, because the namespace's UID identifies the cluster. Only an administrator may change
 * the namespace.
 */
export const recordKey = `${service}/network-policies`;

/** When the network policies of a new pod begin to apply. */
export type Enforcement =
  /** The policies apply from the pod's first instruction. */
  | "strict"
  /** The policies begin to apply some seconds after the pod's first instruction. */
  | "late"
  /** During the probe, the network policies did not apply. */
  | "never";

const words = {
  late: "do not hold from a pod's first instruction",
  never: "are not enforced",
} as const satisfies Record<Exclude<Enforcement, "strict">, string>;

/** What an administrator must do to make network policies apply from a pod's first instruction. */
export const remedies = {
  late: "Set NETWORK_POLICY_ENFORCING_MODE to strict in the container aws-node of the VPC CNI",
  never:
    "Turn on the agent that enforces network policies, in the VPC CNI with enableNetworkPolicy",
} as const satisfies Record<keyof typeof words, string>;

/** Returns the value of the annotation {@link recordKey}. */
export function recordOf(enforcement: Enforcement, date: Date): string {
  return `${enforcement} ${date.toISOString()}`;
}

/**
 * Returns the record of the sandbox's cluster as an annotation. The sandbox needs no
 * `npm run doctor -- platform`: the sandbox drops the packets of new pods until their network
 * policies apply (sandbox/node/new-pods.ts). A test checks that the sandbox drops these packets.
 */
export function sandboxRecord(): Readonly<Record<string, string>> {
  return { [recordKey]: recordOf("strict", new Date()) };
}

/**
 * Returns, in one line, the reason why the cluster must not run code that no one has reviewed.
 * Undefined if the record says that network policies apply from a pod's first instruction.
 *
 * @param record value of the annotation {@link recordKey}. Undefined if the cluster has no record
 */
export function clusterIssue(record: string | undefined): string | undefined {
  const [enforcement = "", date = ""] = (record ?? "").split(" ");
  if (enforcement === "strict") return undefined;
  if (enforcement === "late" || enforcement === "never") {
    return (
      `Network policies of this cluster ${words[enforcement]} (seen ${date.slice(0, 10)}), so the code of a branch could reach everything. ` +
      `An administrator must fix this and check again. ${remedies[enforcement]}, then run: npm run doctor -- platform`
    );
  }
  return (
    "No one has checked whether this cluster's network policies hold from a pod's first instruction. " +
    "An administrator must run: npm run doctor -- platform"
  );
}
