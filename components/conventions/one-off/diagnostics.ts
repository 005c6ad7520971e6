/**
 * Names and values that both the pods of the service and `npm run debug` use. In the service,
 * DiagnosticsServer.java answers requests for thread dumps, heap dumps and flight recordings.
 */
export const diagnostics = {
  /** Directory for a heap dump or a flight recording, until the caller has received the file. */
  directory: "/diagnostics",
  /**
   * Port on the pod's loopback address. From outside the pod, only `kubectl port-forward` reaches
   * this port.
   */
  port: 8083,
  /**
   * Environment variables of the service. Without `DIAGNOSTICS_PORT`, the service has no
   * diagnostics.
   */
  variables: {
    directory: "DIAGNOSTICS_DIRECTORY",
    podBytes: "DIAGNOSTICS_POD_BYTES",
    port: "DIAGNOSTICS_PORT",
    volumeBytes: "DIAGNOSTICS_VOLUME_BYTES",
  },
  /** Name of the volume that is mounted at `directory`. */
  volume: "diagnostics",
} as const;
