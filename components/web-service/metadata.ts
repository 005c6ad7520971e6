import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { labels } from "../conventions/labels";
import { type Annotations, objectMetadata } from "../conventions/metadata";
import type { WebServiceInputs } from "./normalize";

/**
 * Returns the metadata of an object. The metadata contains no release labels, so a release does not
 * change the metadata.
 */
export function metadataOf(
  name: string,
  web: WebServiceInputs,
  annotations?: Annotations,
): k8s.types.input.meta.v1.ObjectMeta {
  const { identity, namespace } = web;
  return { ...objectMetadata(web, labels(identity, "web"), annotations), name, namespace };
}

/** Returns the resource options of the objects that the arg `protect` protects from deletion. */
export function protection({ protect }: WebServiceInputs): pulumi.CustomResourceOptions {
  return protect === undefined ? {} : { protect };
}
