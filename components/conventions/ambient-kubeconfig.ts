/* eslint-disable no-restricted-properties -- hides a variable from the SDK, reads no setting */

/** How to reach the cluster: a context of the ambient kubeconfig, or a separate kubeconfig. */
export interface Access {
  readonly context?: string | undefined;
  /** Text of a kubeconfig. Undefined takes the ambient kubeconfig. */
  readonly kubeconfig?: string | undefined;
}

/** Seconds for the start of kubectl itself, which is slow on a busy machine. */
export const startSeconds = 10;

/** How long kubectl may take to read from a cluster. */
export interface ClusterLimits {
  /** Seconds until the cluster counts as unreachable. */
  readonly requestSeconds: number;
  /** Seconds until kubectl is ended: the request and its own start. */
  readonly processSeconds: number;
}

/**
 * @param onEks whether the AWS CLI first gets a token. It starts slowly on a small machine, and
 * kubectl counts that as part of the request.
 */
export function clusterLimits(onEks: boolean): ClusterLimits {
  const requestSeconds = onEks ? 20 : 10;
  return { processSeconds: requestSeconds + startSeconds, requestSeconds };
}

/**
 * Creates a Kubernetes provider while KUBECONFIG is hidden. The provider finds the file by itself.
 * Otherwise, the SDK writes the file's path into the state, and a machine with another path sees
 * a change.
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
