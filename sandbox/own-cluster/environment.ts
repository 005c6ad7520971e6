import { environment, ofStackLocal } from "../environment";
import { kubeconfigOf, type OwnCluster, ownCluster, ownClusterDirectory, stateOf } from "./choice";

/**
 * Returns the environment variables that make `pulumi` and `kubectl` use a cluster that the
 * developer already has. All programs come from the PATH of the shell. The builder of the image is
 * the current builder of `docker buildx`. Pulumi's plugins are in Pulumi's usual directory.
 */
export function ownEnvironment(
  own: OwnCluster,
  directory = ownClusterDirectory,
): Record<string, string> {
  const { ingressClass, platforms, registry, uid } = own;
  return {
    ...ofStackLocal,
    KUBECONFIG: kubeconfigOf(own, directory),
    PULUMI_BACKEND_URL: `file://${stateOf(own, directory)}`,
    // The program and the commands refuse a cluster with another UID. So a change of the context
    // does not lead to a deployment in the wrong cluster.
    SANDBOX_CLUSTER_UID: uid,
    ...(ingressClass === undefined ? {} : { SANDBOX_INGRESS_CLASS: ingressClass }),
    // Some clusters have no ingress controller, so Pulumi must not wait for the Ingress.
    SANDBOX_WAIT_FOR_INGRESS: "false",
    ...(platforms.length === 0 ? {} : { SANDBOX_PLATFORMS: platforms.join(",") }),
    SANDBOX_REGISTRY: registry,
  };
}

/**
 * Returns the environment variables of stack `local`: the variables of the developer's own cluster
 * if the developer has chosen a cluster, otherwise the variables of the sandbox.
 */
export function localEnvironment(): Record<string, string> {
  const own = ownCluster();
  return own === undefined ? environment() : ownEnvironment(own);
}
