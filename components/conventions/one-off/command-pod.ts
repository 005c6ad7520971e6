/**
 * What the PodTemplate of one-off commands and `npm run run` agree on. The template has two
 * containers of the service's image: one runs the command, and the other hands its output on.
 */
export const commandPod = {
  /** Arguments of the command in the template. Each run has its own arguments. */
  args: ["--help"],
  /** Name of the container that runs the command. */
  command: "command",
  /** Directory of the file to which the command writes its output. */
  directory: "/output",
  /** Variable of the service with this directory. */
  directoryVariable: "COMMAND_OUTPUT_DIRECTORY",
  /** Seconds for which the pod keeps the output of a command that has ended. */
  keepSeconds: 600,
  /** Name of the container that hands the output on, and of the volume with the output. */
  output: "output",
  /** Port of the output on the pod's loopback address. Only `kubectl port-forward` reaches it. */
  port: 8082,
  /**
   * CPU and memory of the container that hands the output on. The JVM needs about 45 MiB, and does
   * little.
   */
  requests: { cpu: "20m", memory: "96Mi" },
  /** Largest output. The kubelet evicts the pod of a command that writes more. */
  sizeLimit: "256Mi",
} as const;
