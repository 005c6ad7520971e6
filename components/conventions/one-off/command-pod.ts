/**
 * Names and values that both the PodTemplate of one-off commands and `npm run run` use. The pod has
 * two containers of the service's image. One container runs the command. The other container, in
 * which OutputServer.java runs, sends the output of the command to `npm run run`.
 */
export const commandPod = {
  /** Arguments in the PodTemplate. The Job of each command replaces these arguments. */
  args: ["--help"],
  /** Name of the container that runs the command. */
  command: "command",
  /** Directory of the file to which the command writes its output. */
  directory: "/output",
  /** Environment variable of the service with the path in `directory`. */
  directoryVariable: "COMMAND_OUTPUT_DIRECTORY",
  /** Maximum number of seconds that the pod keeps the output after the command has ended. */
  keepSeconds: 600,
  /** Name of the container that sends the output, and of the volume with the output. */
  output: "output",
  /**
   * Port of OutputServer.java on the pod's loopback address. From outside the pod, only
   * `kubectl port-forward` reaches this port.
   */
  port: 8082,
  /**
   * CPU and memory of the container that sends the output. In the Java options of this container,
   * the limits of heap, metaspace and code cache add up to 48 MiB. The rest of the memory is for
   * the JVM itself.
   */
  requests: { cpu: "20m", memory: "96Mi" },
  /** Maximum size of the output. If a command writes more, the kubelet evicts the pod. */
  sizeLimit: "256Mi",
} as const;
