/* eslint-disable no-restricted-properties -- hides a variable from the SDK, reads no setting */

/** How to reach the cluster: a context of the ambient kubeconfig, or a separate kubeconfig. */
export interface Access {
  readonly context?: string | undefined;
  /** Text of a kubeconfig. Undefined takes the ambient kubeconfig. */
  readonly kubeconfig?: string | undefined;
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
