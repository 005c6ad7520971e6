import type * as pulumi from "@pulumi/pulumi";
import type { PodRequirement } from "../components/conventions/quota";
import { ReviewNamespace } from "../components/namespace/review-namespace";
import { StackNamespace } from "../components/namespace/stack-namespace";
import { environments } from "../environments";
import type { Settings } from "../settings";

/**
 * Creates the stack's namespace and returns its name. In stack `local` and in review stacks, the
 * namespace also gets a ResourceQuota, a LimitRange and NetworkPolicies, because the code of any
 * branch may run in these stacks.
 */
export function createNamespace(
  settings: Settings,
  demands: readonly PodRequirement[],
  opts: pulumi.ComponentResourceOptions,
): pulumi.Output<string> {
  const { environment, identity, ingressPreset, namespace, release } = settings;
  const { data, perBranch, protect } = environments[environment];
  const common = { identity, namespace, ...(ingressPreset === undefined ? {} : { ingressPreset }) };
  if (data === "given") {
    // The platform has created this namespace, and the stack adopts it. Pulumi never deletes this
    // namespace (`retain`), because the stack could not restore the Secrets in the namespace.
    return new StackNamespace("namespace", { ...common, protect, retain: true }, opts).namespace;
  }
  const { datadogAgentTo, dnsTo, egressTo, ingressFrom, quota } = settings;
  const guardrails = { datadogAgentTo, dnsTo, egressTo, ingressFrom, quota, demands };
  // The CI jobs of a branch are not administrators of the cluster. The component ReviewNamespace
  // gives these jobs permissions in the branch's own namespace.
  const owner = perBranch ? { branch: release.branch } : {};
  return new ReviewNamespace("namespace", { ...common, ...guardrails, ...owner }, opts).namespace;
}
