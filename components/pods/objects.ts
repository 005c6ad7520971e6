import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "../conventions/labels";
import { objectMetadata, roleAnnotation } from "../conventions/metadata";
import type { PodArgs } from "./args";
import { configData } from "./files";

/** Args of the objects to which the pods refer. */
interface PodObjects extends PodArgs {
  readonly namespace: pulumi.Input<string>;
}

/**
 * Creates the ServiceAccount of the pods. The component gives no permissions in the cluster to the
 * ServiceAccount. In AWS, the ServiceAccount has permissions only with `iamRoleArn`.
 */
export function createServiceAccount(
  parent: pulumi.Resource,
  name: string,
  args: PodObjects,
  own: Labels,
): k8s.core.v1.ServiceAccount {
  const { iamRoleArn, namespace } = args;
  const annotations = iamRoleArn === undefined ? {} : { [roleAnnotation]: iamRoleArn };
  return new k8s.core.v1.ServiceAccount(
    name,
    {
      // Kubernetes mounts no token of the Kubernetes API into the pods. For AWS, EKS mounts a
      // separate token.
      automountServiceAccountToken: false,
      metadata: { ...objectMetadata(args, own, annotations), name, namespace },
    },
    { parent },
  );
}

/**
 * Creates the ConfigMap of `configFiles`. Returns undefined without files. The ConfigMap is
 * immutable, and Pulumi generates the name of the ConfigMap. So a change creates a new ConfigMap.
 * The pod template then contains the new name, so Kubernetes replaces the pods of a web service.
 * After that, Pulumi deletes the old ConfigMap.
 */
export function createConfigMap(
  parent: pulumi.Resource,
  name: string,
  args: PodObjects,
  own: Labels,
): k8s.core.v1.ConfigMap | undefined {
  const { configFiles = {}, namespace } = args;
  if (Object.keys(configFiles).length === 0) return undefined;
  return new k8s.core.v1.ConfigMap(
    name,
    {
      data: configData(configFiles),
      immutable: true,
      metadata: { ...objectMetadata(args, own), namespace },
    },
    { parent },
  );
}
