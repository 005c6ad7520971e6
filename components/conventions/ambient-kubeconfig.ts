/* eslint-disable no-restricted-properties -- a variable is hidden from the SDK, none is read as a setting */

/** Which cluster: a context of the ambient kubeconfig, or a kubeconfig of its own. */
export interface Access {
  readonly context?: string | undefined;
  /** Text of a kubeconfig; undefined takes the ambient one. */
  readonly kubeconfig?: string | undefined;
}

/**
 * Makes a Kubernetes provider without telling it where the ambient kubeconfig is, which it finds by itself. The SDK would write
 * the path that KUBECONFIG names into the state, and the next machine or CI job, which has another, would see a change.
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
