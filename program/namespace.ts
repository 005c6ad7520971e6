import type * as pulumi from "@pulumi/pulumi";
import type { PodRequirement } from "../components/conventions/quota";
import { ReviewNamespace } from "../components/namespace/review-namespace";
import { StackNamespace } from "../components/namespace/stack-namespace";
import { environments } from "../environments";
import type { Settings } from "../settings";

/** The stack's namespace, with guardrails where the code of any branch may run. */
export function createNamespace(
  settings: Settings,
  requirements: readonly PodRequirement[],
  opts: pulumi.ComponentResourceOptions,
): pulumi.Output<string> {
  const { environment, identity, ingressPreset, namespace, release } = settings;
  const { data, perBranch, protect } = environments[environment];
  const common = { identity, namespace, ...(ingressPreset === undefined ? {} : { ingressPreset }) };
  if (data === "given") {
    // The platform made it. No stack can bring back the Secrets in it.
    return new StackNamespace("namespace", { ...common, protect, retain: true }, opts).namespace;
  }
  const { datadogAgentTo, egressTo, ingressFrom, quota } = settings;
  const guardrails = { datadogAgentTo, egressTo, ingressFrom, quota, requirements };
  // CI is not an administrator: each branch has rights in its own namespace only.
  const owner = perBranch ? { branch: release.branch } : {};
  return new ReviewNamespace("namespace", { ...common, ...guardrails, ...owner }, opts).namespace;
}
