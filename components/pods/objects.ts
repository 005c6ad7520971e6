import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "../conventions/labels";
import { objectMetadata, roleAnnotation } from "../conventions/metadata";
import type { PodArgs } from "./args";
import { configData } from "./files";

/** Args of the objects that pods refer to. */
interface PodObjects extends PodArgs {
  readonly namespace: pulumi.Input<string>;
}

/** The ServiceAccount of the pods. Without `iamRoleArn` it has no rights. */
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
      // This is the token for the cluster. EKS mounts the token for AWS.
      automountServiceAccountToken: false,
      metadata: { ...objectMetadata(args, own, annotations), name, namespace },
    },
    { parent },
  );
}

/**
 * The ConfigMap of `configFiles`, or undefined without files. It is autonamed and immutable:
 * a change creates a new one, and its name replaces the pods. The old one is deleted afterwards.
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
