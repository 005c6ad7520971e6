import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { shortHash } from "../conventions/names";
import type { PodArgs } from "./args";

type Volume = k8s.types.input.core.v1.Volume;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** Name of the volume with the files of `configFiles`. */
export const configVolumeName = "config-files";

/**
 * Returns the key of a file in the ConfigMap: the path without its first slash, and with `_` in
 * place of every other slash. Validation refuses two paths with the same key.
 */
export function configKey(path: string): string {
  return path.slice(1).replaceAll("/", "_");
}

/** Returns the data of the ConfigMap with the files of `configFiles`. */
export function configData(
  files: NonNullable<PodArgs["configFiles"]>,
): Record<string, pulumi.Input<string>> {
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => [configKey(path), content]),
  );
}

/**
 * Returns the name of a Secret's volume. The name depends only on the path of the mount, so a
 * change to other entries does not change the name.
 */
function secretVolumeName(mountPath: string): string {
  return `secret-${shortHash(mountPath)}`;
}

/** Returns the volume mounts for the files and volumes in the args. */
export function extraMounts(args: PodArgs): VolumeMount[] {
  const { configFiles = {}, secretFiles = [], volumeMounts = [] } = args;
  return [
    // Each file has its own mount, so that the mount does not hide the other files of the
    // directory.
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

/** Returns the volumes for the files and volumes in the args. */
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
