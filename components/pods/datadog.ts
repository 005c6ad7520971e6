import type * as k8s from "@pulumi/kubernetes";
import type { Annotations } from "../conventions/metadata";
import type { PodArgs } from "./args";

/** Directory of the tracer in the containers. */
export const datadogDirectory = "/datadog-lib";

/** Name of the init container that copies the tracer, and of the volume with the tracer. */
export const datadogName = "datadog-agent";

/** Returns the mount of the tracer's directory. Without a tracer, returns an empty list. */
export function datadogMounts({ datadogAgent }: PodArgs): k8s.types.input.core.v1.VolumeMount[] {
  return datadogAgent === undefined ? [] : [{ mountPath: datadogDirectory, name: datadogName }];
}

/** Returns the JVM flag that loads the tracer. Without a tracer, returns an empty list. */
export function datadogJavaOptions({ datadogAgent }: PodArgs): readonly string[] {
  return datadogAgent === undefined ? [] : [`-javaagent:${datadogDirectory}/dd-java-agent.jar`];
}

/**
 * The command that Datadog's admission controller runs in the image `dd-lib-java-init`. The script
 * `copy-lib.sh` is in the image's working directory, and copies `dd-java-agent.jar` to the given
 * directory. The pod's security context sets the user of the script, so the script does not run as
 * the image's user 10000. All users may read the jar, so the script can still copy the jar.
 */
export const datadogCopyCommand: readonly string[] = ["sh", "copy-lib.sh", datadogDirectory];

/** Returns annotations that tell the Datadog Agent on the node how to parse a container's log. */
export function logAnnotations(container: string, service: string, args: PodArgs): Annotations {
  const { logSource: source } = args;
  if (source === undefined) return {};
  return { [`ad.datadoghq.com/${container}.logs`]: JSON.stringify([{ service, source }]) };
}
