/* eslint-disable no-restricted-properties -- hides a variable from the SDK, reads no setting */

/**
 * How to reach the cluster: with a context of the ambient kubeconfig (`KUBECONFIG` or
 * `~/.kube/config`), or with a separate kubeconfig.
 */
export interface Access {
  readonly context?: string | undefined;
  /**
   * Content of a separate kubeconfig. If undefined, kubectl and Pulumi use the ambient kubeconfig.
   */
  readonly kubeconfig?: string | undefined;
}

/** Seconds that kubectl may take to start. On a busy machine, kubectl starts slowly. */
export const startSeconds = 10;

/** Timeouts for kubectl when it reads from a cluster. */
export interface ClusterLimits {
  /** Timeout of one request to the cluster, in seconds. */
  readonly requestSeconds: number;
  /** Timeout of the kubectl process, in seconds: the start of kubectl plus the request. */
  readonly processSeconds: number;
}

/**
 * Returns the timeouts for kubectl.
 *
 * @param onEks whether the AWS CLI first gets a token. The AWS CLI starts slowly on a small
 * machine, and kubectl counts this start as part of the request.
 */
export function clusterLimits(onEks: boolean): ClusterLimits {
  const requestSeconds = onEks ? 20 : 10;
  return { processSeconds: requestSeconds + startSeconds, requestSeconds };
}

/**
 * Creates a Kubernetes provider with `make`, and hides the environment variable KUBECONFIG from
 * `make`. With this variable, the SDK would write the path of the kubeconfig into the Pulumi state.
 * A preview on a machine with another path would then show a change. The provider does not need the
 * path in the state: the provider runs in another process, which still has KUBECONFIG.
 */
export function withoutAmbientKubeconfig<Provider>(make: () => Provider): Provider {
  const ambient = process.env["KUBECONFIG"];
  delete process.env["KUBECONFIG"];
  try {
    return make();
  } finally {
    if (ambient !== undefined) process.env["KUBECONFIG"] = ambient;
  }
}
