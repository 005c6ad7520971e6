import type * as k8s from "@pulumi/kubernetes";
import type { Annotations } from "./metadata";
import type { PodArgs } from "./pod-args";

/** Where containers find the agent. */
export const datadogDirectory = "/datadog-lib";

/** Init container that copies the agent, and the volume it copies it to. */
export const datadogName = "datadog-agent";

/** Where containers find the agent. */
export function datadogMounts({ datadogAgent }: PodArgs): k8s.types.input.core.v1.VolumeMount[] {
  return datadogAgent === undefined ? [] : [{ mountPath: datadogDirectory, name: datadogName }];
}

/** Flag that makes the JVM load the agent. */
export function datadogJavaOptions({ datadogAgent }: PodArgs): readonly string[] {
  return datadogAgent === undefined ? [] : [`-javaagent:${datadogDirectory}/dd-java-agent.jar`];
}

/** The command that Datadog's own images have for it. */
export const datadogCopyCommand: readonly string[] = ["sh", "copy-lib.sh", datadogDirectory];

/** Annotations that tell Datadog's agent on the node how to read a container's log. */
export function logAnnotations(container: string, service: string, args: PodArgs): Annotations {
  const { logSource: source } = args;
  if (source === undefined) return {};
  return { [`ad.datadoghq.com/${container}.logs`]: JSON.stringify([{ service, source }]) };
}
