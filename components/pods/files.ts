import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { shortHash } from "../conventions/names";
import type { PodArgs } from "./args";

type Volume = k8s.types.input.core.v1.Volume;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** Name of the volume that `configFiles` are mounted from. */
export const configVolumeName = "config-files";

/** Key of a file in the ConfigMap, without slashes. Validation refuses two paths with one key. */
export function configKey(path: string): string {
  return path.slice(1).replaceAll("/", "_");
}

/** Data of the ConfigMap that holds `configFiles`. */
export function configData(
  files: NonNullable<PodArgs["configFiles"]>,
): Record<string, pulumi.Input<string>> {
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => [configKey(path), content]),
  );
}

/** From the path, so that another entry in the list changes no name. */
function secretVolumeName(mountPath: string): string {
  return `secret-${shortHash(mountPath)}`;
}

/** Mounts of the files and volumes in the args, in the order of the args. */
export function extraMounts(args: PodArgs): VolumeMount[] {
  const { configFiles = {}, secretFiles = [], volumeMounts = [] } = args;
  return [
    // One mount per file, so that the directory's other files stay visible.
    ...Object.keys(configFiles)
      .sort()
      .map((mountPath) => ({
        mountPath,
        name: configVolumeName,
        readOnly: true,
        subPath: configKey(mountPath),
      })),
    ...secretFiles.map(({ mountPath }) => ({
      mountPath,
      name: secretVolumeName(mountPath),
      readOnly: true,
    })),
    ...volumeMounts,
  ];
}

/** Volumes of the files and volumes in the args. */
export function extraVolumes(
  args: PodArgs,
  configMapName: pulumi.Input<string> | undefined,
): Volume[] {
  const { secretFiles = [], volumes = [] } = args;
  return [
    ...(configMapName === undefined
      ? []
      : [{ configMap: { defaultMode: 0o444, name: configMapName }, name: configVolumeName }]),
    ...secretFiles.map(({ keys, mountPath, secretName }) => ({
      name: secretVolumeName(mountPath),
      secret: {
        defaultMode: 0o440,
        ...(keys === undefined ? {} : { items: keys.map((key) => ({ key, path: key })) }),
        secretName,
      },
    })),
    ...volumes,
  ];
}
