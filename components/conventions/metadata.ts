import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "./labels";

type ObjectMeta = k8s.types.input.meta.v1.ObjectMeta;
export type Annotations = Readonly<Record<string, pulumi.Input<string>>>;

/** Labels and annotations that a caller may add to the metadata of objects and pods. */
interface AddedMetadata {
  readonly annotations?: Annotations;
  readonly labels?: Labels;
  readonly podAnnotations?: Annotations;
  readonly podLabels?: Labels;
}

/**
 * Annotation of an Ingress. The value names the system that authenticates callers before their
 * requests reach the service.
 */
export const callersAuthenticatedByAnnotation = "callers-authenticated-by";

/**
 * Annotation of the pods of a migration Job: UID of the failed Job that this Job replaces. Pulumi
 * replaces the failed Job only if the spec of the Job changes, and this annotation changes the
 * spec.
 */
export const retryAnnotation = "migration/retry-of";

/** EKS reads the IAM role of a ServiceAccount's pods from this annotation. */
export const roleAnnotation = "eks.amazonaws.com/role-arn";

/**
 * Returns the field `annotations` of an object's metadata. Without annotations, the function omits
 * the field, because an empty map would change every existing object.
 */
export function annotated(all: Annotations): Pick<ObjectMeta, "annotations"> {
  return Object.keys(all).length === 0 ? {} : { annotations: { ...all } };
}

/**
 * Returns the metadata of an object: labels and annotations of the caller and of the component. The
 * component's values take precedence.
 */
export function objectMetadata(args: AddedMetadata, own: Labels, annotations: Annotations = {}) {
  return {
    ...annotated({ ...args.annotations, ...annotations }),
    labels: { ...args.labels, ...own },
  } satisfies ObjectMeta;
}

/**
 * Returns the metadata of pods. Pods do not get the caller's `labels` and `annotations`, so a
 * change to these args restarts no pod.
 */
export function podMetadata(args: AddedMetadata, own: Labels, annotations: Annotations = {}) {
  return {
    ...annotated({ ...args.podAnnotations, ...annotations }),
    labels: { ...args.podLabels, ...own },
  } satisfies ObjectMeta;
}
