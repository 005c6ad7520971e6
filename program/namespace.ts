import type * as pulumi from "@pulumi/pulumi";
import type { PodRequirement } from "../components/conventions/quota";
import { ReviewNamespace } from "../components/namespace/review-namespace";
import { StackNamespace } from "../components/namespace/stack-namespace";
import { environments } from "../environments";
import type { Settings } from "../settings";

/** The namespace of a stack, and the options of the resources in the namespace. */
interface Created {
  readonly inNamespace: pulumi.ComponentResourceOptions;
  readonly namespace: pulumi.Output<string>;
}

/**
 * Creates the stack's namespace. In stack `local` and in review stacks, the namespace also gets a
 * ResourceQuota, a LimitRange and NetworkPolicies, because the code of any branch may run in these
 * stacks.
 */
export function createNamespace(
  settings: Settings,
  demands: readonly PodRequirement[],
  opts: pulumi.ComponentResourceOptions,
): Created {
  const { environment, identity, ingressPreset, namespace, release } = settings;
  const { data, perBranch, protect } = environments[environment];
  const common = { identity, namespace, ...(ingressPreset === undefined ? {} : { ingressPreset }) };
  if (data === "given") {
    // The platform has created this namespace, and the stack adopts it. Pulumi never deletes this
    // namespace (`retain`), because the stack could not restore the Secrets in the namespace.
    const args = { ...common, protect, retain: true };
    return {
      inNamespace: opts,
      namespace: new StackNamespace("namespace", args, opts).namespace,
    };
  }
  const { datadogAgentTo, dnsTo, egressTo, ingressFrom, quota } = settings;
  const guardrails = { datadogAgentTo, dnsTo, egressTo, ingressFrom, quota, demands };
  // The CI jobs of a branch are not administrators of the cluster. The component ReviewNamespace
  // gives these jobs permissions in the branch's own namespace.
  const owner = perBranch ? { branch: release.branch } : {};
  const created = new ReviewNamespace("namespace", { ...common, ...guardrails, ...owner }, opts);
  return {
    inNamespace: { ...opts, transformations: [deletedWith(created.nodes.namespace)] },
    namespace: created.namespace,
  };
}

/**
 * Types of objects that `pulumi destroy` deletes before the namespace. The controller of a load
 * balancer needs the namespace of the Ingress to remove the load balancer. If a namespace contains
 * pods that end slowly, the deletion of the namespace takes longer than the deletion of the pods.
 */
const before = /:(?:Deployment|Ingress|StatefulSet)$/;

/**
 * Makes `pulumi destroy` delete the namespace, and not each object in the namespace: Kubernetes
 * deletes the objects with the namespace. The children of a component get the transformations of
 * the component, but not its option `deletedWith`.
 */
const deletedWith =
  (namespace: pulumi.Resource): pulumi.ResourceTransformation =>
  ({ opts, props: args, type }) =>
    type.startsWith("kubernetes:") && !before.test(type)
      ? { opts: { ...opts, deletedWith: namespace }, props: args }
      : undefined;
