import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Identity } from "../conventions/labels";
import type { Override } from "../conventions/override";

/**
 * Pure functions `(defaults) => spec`, one for each spec of a {@link Postgres}. These functions run
 * after the component has applied all args.
 */
export interface PostgresOverrides {
  /**
   * Changes the container of the database. This function runs first.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, resources: { ...spec.resources, limits: { memory: "1Gi" } } })
   */
  readonly container?: Override<k8s.types.input.core.v1.Container>;

  /**
   * Changes the pod template's spec. This function runs before `statefulSetSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, nodeSelector: { disk: "fast" } })
   */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;

  /**
   * Changes the spec of the headless Service. If the selector does not match the labels of the pod,
   * clients cannot connect to the database.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, publishNotReadyAddresses: true })
   */
  readonly serviceSpec?: Override<k8s.types.input.core.v1.ServiceSpec>;

  /**
   * Changes the spec of the StatefulSet. This function runs last. Kubernetes refuses changes to
   * most fields of a StatefulSet that exists.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, minReadySeconds: 10 })
   */
  readonly statefulSetSpec?: Override<k8s.types.input.apps.v1.StatefulSetSpec>;
}

export interface PostgresArgs {
  /** Names and labels that identify the stack's objects. Never change the identity. */
  readonly identity: Identity;
  /**
   * Container image as `repository@sha256:...`, compatible with the public `postgres` image. With
   * an incompatible image, the database never becomes ready, and the update times out.
   */
  readonly imageRef: string;
  /**
   * Namespace of all objects. A change deletes the database and creates an empty database in the
   * new namespace.
   */
  readonly namespace: pulumi.Input<string>;

  /**
   * Name of the database that PostgreSQL creates on its first start. If you change the name later,
   * PostgreSQL does not create another database.
   *
   * @default "orders"
   */
  readonly databaseName?: string;

  /**
   * Pure functions that change the component's specs, for fields that no arg sets. These functions
   * run last. Pulumi removes each field that a function does not return. TypeScript does not report
   * a misspelled field, but the cluster does.
   *
   * @default - none
   * @example
   * { podSpec: (spec) => ({ ...spec, nodeSelector: { disk: "fast" } }) }
   */
  readonly overrides?: PostgresOverrides;

  /**
   * Size of the volume, as a Kubernetes quantity. You cannot change the size later. When the volume
   * is full, the database stops.
   *
   * @default "1Gi"
   */
  readonly storage?: string;
}
