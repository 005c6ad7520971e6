import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "../conventions/labels";
import { objectMetadata, roleAnnotation } from "../conventions/metadata";
import type { PodArgs } from "./args";
import { configData } from "./files";

/** What pods need beside themselves. */
interface PodObjects extends PodArgs {
  readonly namespace: pulumi.Input<string>;
}

/** The identity of the pods. Without `iamRoleArn` it has no rights anywhere. */
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
      // A token for the cluster. The one for AWS is mounted by EKS itself.
      automountServiceAccountToken: false,
      metadata: { ...objectMetadata(args, own, annotations), name, namespace },
    },
    { parent },
  );
}

/**
 * The files of `configFiles`, or undefined without any. It is autonamed and immutable: a change
 * makes another one, whose name replaces the pods; the old one goes when no pod needs it.
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
