import { randomBytes } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Database, secretKeys } from "../pods/database";
import { postgres as defaults } from "../conventions/defaults";
import { imageRefForm, assertValid, check } from "../conventions/validation";
import { type Identity, labels, selector } from "../conventions/labels";
import { budgets, isDnsLabel } from "../conventions/names";
import { type Override, applyOverride } from "../conventions/override";
import { isMemory } from "../conventions/quantities";
import { postgresStatefulSetSpec } from "./pod-template";

/** One pure function per spec of a {@link Postgres}, applied last: `(defaults) => spec`. */
export interface PostgresOverrides {
  /**
   * The container of the database. Runs first.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, resources: { ...spec.resources, limits: { memory: "1Gi" } } })
   */
  readonly container?: Override<k8s.types.input.core.v1.Container>;

  /**
   * The pod of the database. Runs before `statefulSetSpec`.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, nodeSelector: { disk: "fast" } })
   */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;

  /**
   * The headless Service. With another selector nobody finds the database.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, publishNotReadyAddresses: true })
   */
  readonly serviceSpec?: Override<k8s.types.input.core.v1.ServiceSpec>;

  /**
   * The StatefulSet. Most of its fields can never change. Runs last.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, minReadySeconds: 10 })
   */
  readonly statefulSetSpec?: Override<k8s.types.input.apps.v1.StatefulSetSpec>;
}

export interface PostgresArgs {
  /** What the objects are recognised by; the same for the stack's whole life. */
  readonly identity: Identity;
  /**
   * Image as `repository@sha256:...`, with the interface of the public `postgres` image. Another
   * interface never gets ready, and the update times out.
   */
  readonly imageRef: string;
  /** Namespace of all objects. Another one deletes the database and makes an empty one. */
  readonly namespace: pulumi.Input<string>;

  /**
   * Name of the database that is made on the first start. Changing it later makes no new one.
   *
   * @default "orders"
   */
  readonly databaseName?: string;

  /**
   * Pure functions that have the last word on each spec, for a field that no arg sets. A field that
   * they leave out is gone; only the cluster refuses a misspelt one.
   *
   * @default - none
   * @example
   * { podSpec: (spec) => ({ ...spec, nodeSelector: { disk: "fast" } }) }
   */
  readonly overrides?: PostgresOverrides;

  /**
   * Size of the volume. It cannot change later.
   *
   * @default "1Gi"
   */
  readonly storage?: string;
}

/**
 * A throw-away PostgreSQL with one replica, for stacks that own their data: StatefulSet, headless
 * Service and the Secret of its user. Deleting the stack deletes the data.
 *
 * @throws pulumi.ResourceError with every issue of the args, before the first child.
 */
export class Postgres extends pulumi.ComponentResource {
  /** What a service needs to use the database. */
  readonly database: Database;
  readonly nodes: {
    readonly secret: k8s.core.v1.Secret;
    readonly service: k8s.core.v1.Service;
    readonly statefulSet: k8s.apps.v1.StatefulSet;
  };

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:Postgres", name, args, opts);
    const { databaseName = defaults.databaseName, storage = defaults.storage } = args;
    validate(this, name, args, databaseName, storage);
    const secret = createSecret(this, name, args);
    const service = createService(this, name, args);
    const statefulSet = createStatefulSet(this, name, args, databaseName, storage, secret);
    this.nodes = { secret, service, statefulSet };
    this.database = {
      // Short name, the same in each namespace. It depends on the StatefulSet, so that nobody
      // starts to look for the database before it is ready.
      host: statefulSet.metadata.name,
      name: databaseName,
      port: defaults.port,
      secretName: secret.metadata.name,
    };
    this.registerOutputs({});
  }
}

function validate(
  parent: pulumi.Resource,
  name: string,
  args: PostgresArgs,
  databaseName: string,
  storage: string,
): void {
  assertValid(parent, "Postgres", name, [
    check(isDnsLabel(name, budgets.statefulSet), {
      arg: "name",
      got: name,
      rule: `be a DNS label of at most ${String(budgets.statefulSet)} characters`,
      fix: "use lower case letters, digits and hyphens, and start with a letter",
    }),
    check(imageRefForm.test(args.imageRef), {
      arg: "imageRef",
      got: args.imageRef,
      rule: "be repository@sha256:<64 hex digits>",
      fix: "name the image by its digest, a tag may be moved",
    }),
    check(/^[a-z][a-z0-9_]{0,62}$/.test(databaseName), {
      arg: "databaseName",
      got: databaseName,
      rule: "be a plain identifier",
      fix: "use lower case letters, digits and _, and start with a letter",
    }),
    check(isMemory(storage), {
      arg: "storage",
      got: storage,
      rule: "be a quantity in Ki, Mi or Gi",
      fix: 'write it as "1Gi"',
    }),
  ]);
}

function createSecret(
  parent: pulumi.Resource,
  name: string,
  args: PostgresArgs,
): k8s.core.v1.Secret {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return new k8s.core.v1.Secret(
    name,
    {
      data: pulumi.secret({
        [secretKeys.password]: base64(randomBytes(24).toString("base64url")),
        [secretKeys.username]: base64(defaults.username),
      }),
      // No name of our own: a Secret's name changes with its content, so that pods are rolled.
      metadata: { labels: labels(args.identity, "database"), namespace: args.namespace },
      type: "Opaque",
    },
    // Each run of the program draws a new password; the first one, which the database was made
    // with, is the one that counts. Nothing else of this Secret ever changes.
    { ignoreChanges: ["data"], parent },
  );
}

function createService(
  parent: pulumi.Resource,
  name: string,
  args: PostgresArgs,
): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    name,
    {
      metadata: {
        // The StatefulSet's own wait says when the database is ready.
        annotations: { "pulumi.com/skipAwait": "true" },
        labels: labels(args.identity, "database"),
        name,
        namespace: args.namespace,
      },
      spec: applyOverride(args.overrides?.serviceSpec, {
        clusterIP: "None",
        ports: [{ name: "postgres", port: defaults.port, protocol: "TCP", targetPort: "postgres" }],
        selector: selector(args.identity, "database"),
        type: "ClusterIP",
      }),
    },
    { parent },
  );
}

function createStatefulSet(
  parent: pulumi.Resource,
  name: string,
  args: PostgresArgs,
  databaseName: string,
  storage: string,
  secret: k8s.core.v1.Secret,
): k8s.apps.v1.StatefulSet {
  const { identity, imageRef, namespace, overrides = {} } = args;
  return new k8s.apps.v1.StatefulSet(
    name,
    {
      metadata: { labels: labels(identity, "database"), name, namespace },
      spec: postgresStatefulSetSpec({
        databaseName,
        identity,
        imageRef,
        name,
        overrides,
        secretName: secret.metadata.name,
        storage,
      }),
    },
    { customTimeouts: { create: defaults.wait, update: defaults.wait }, parent },
  );
}
