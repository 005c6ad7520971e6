import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Identity } from "../conventions/labels";
import type { Override } from "../conventions/override";

/** One pure function `(defaults) => spec` for each spec of a {@link Postgres}, applied last. */
export interface PostgresOverrides {
  /**
   * Changes the container of the database. Runs first.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, resources: { ...spec.resources, limits: { memory: "1Gi" } } })
   */
  readonly container?: Override<k8s.types.input.core.v1.Container>;

  /**
   * Changes the pod template's spec. Runs before `statefulSetSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, nodeSelector: { disk: "fast" } })
   */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;

  /**
   * Changes the headless Service. With another selector, clients do not find the database.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, publishNotReadyAddresses: true })
   */
  readonly serviceSpec?: Override<k8s.types.input.core.v1.ServiceSpec>;

  /**
   * Changes the StatefulSet. Runs last. Most of its fields are immutable.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, minReadySeconds: 10 })
   */
  readonly statefulSetSpec?: Override<k8s.types.input.apps.v1.StatefulSetSpec>;
}

export interface PostgresArgs {
  /** Names and labels that identify the stack's objects. Never change it. */
  readonly identity: Identity;
  /**
   * Container image as `repository@sha256:...`, compatible with the public `postgres` image.
   * Another image never becomes ready, and the update times out.
   */
  readonly imageRef: string;
  /** Namespace of all objects. Another namespace deletes the database and creates an empty one. */
  readonly namespace: pulumi.Input<string>;

  /**
   * Name of the database, created on the first start. A later change creates no new database.
   *
   * @default "orders"
   */
  readonly databaseName?: string;

  /**
   * Pure functions that change each spec last, for fields that no arg sets.
   * A field that a function leaves out is removed. TypeScript does not find a misspelled field,
   * the cluster does.
   *
   * @default - none
   * @example
   * { podSpec: (spec) => ({ ...spec, nodeSelector: { disk: "fast" } }) }
   */
  readonly overrides?: PostgresOverrides;

  /**
   * Size of the volume. It cannot be changed later.
   * When the volume is full, the database stops.
   *
   * @default "1Gi"
   */
  readonly storage?: string;
}
