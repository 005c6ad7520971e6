import type * as k8s from "@pulumi/kubernetes";
import type { Annotations } from "../conventions/metadata";
import type { PodArgs } from "./args";

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

/**
 * What Datadog's own admission controller runs in `dd-lib-java-init`: a script in the image's working directory,
 * which copies `dd-java-agent.jar` to the directory that it is given and writes nothing else. The image's user is
 * 10000; the jar is for all to read, so that it works for ours, too.
 */
export const datadogCopyCommand: readonly string[] = ["sh", "copy-lib.sh", datadogDirectory];

/** Annotations that tell Datadog's agent on the node how to read a container's log. */
export function logAnnotations(container: string, service: string, args: PodArgs): Annotations {
  const { logSource: source } = args;
  if (source === undefined) return {};
  return { [`ad.datadoghq.com/${container}.logs`]: JSON.stringify([{ service, source }]) };
}
