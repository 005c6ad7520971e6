import { randomBytes } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Database, secretKeys } from "../pods/database";
import { postgres as defaults } from "../conventions/defaults";
import { assertValid } from "../conventions/expected-error";
import { labels, selector } from "../conventions/labels";
import { applyOverride } from "../conventions/override";
import type { PodRequirement } from "../conventions/quota";
import { withDefaults } from "../conventions/with-defaults";
import type { PostgresArgs } from "./args";
import { type PostgresInputs, postgresStatefulSetSpec } from "./pod-template";
import { postgresIssues } from "./validate";

export type { PostgresArgs, PostgresOverrides } from "./args";

/**
 * An ephemeral PostgreSQL database with one replica, for stacks that use no other database. The
 * component creates a StatefulSet, a headless Service, and a Secret with user name and password.
 * When someone destroys the stack, Kubernetes deletes the data.
 *
 * @throws pulumi.ResourceError with all issues of the args, before the component creates a child
 * resource.
 */
export class Postgres extends pulumi.ComponentResource {
  /** Connection data for the `database` arg of services and jobs. */
  readonly database: Database;
  readonly nodes: {
    readonly secret: k8s.core.v1.Secret;
    readonly service: k8s.core.v1.Service;
    readonly statefulSet: k8s.apps.v1.StatefulSet;
  };

  /**
   * Returns the number of pods of a database (one), and the requests of the pod. The check of the
   * quota uses these values.
   */
  static peakPods(name: string): PodRequirement {
    return { name, pods: 1, requests: defaults.requests };
  }

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:Postgres", name, args, opts);
    const database = withDefaults(args, defaults);
    assertValid(this, "Postgres", name, postgresIssues(name, database));
    const secret = createSecret(this, name, database);
    const service = createService(this, name, database);
    const statefulSet = createStatefulSet(this, name, database, secret);
    this.nodes = { secret, service, statefulSet };
    this.database = {
      // The host name is the name of the Service, without the namespace. The StatefulSet has the
      // same name. The value is an output of the StatefulSet, so that resources that use the
      // database wait until the StatefulSet is ready.
      host: statefulSet.metadata.name,
      name: database.databaseName,
      port: defaults.port,
      secretName: secret.metadata.name,
    };
    this.registerOutputs({});
  }
}

function createSecret(
  parent: pulumi.Resource,
  name: string,
  args: PostgresInputs,
): k8s.core.v1.Secret {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return new k8s.core.v1.Secret(
    name,
    {
      data: pulumi.secret({
        [secretKeys.password]: base64(randomBytes(24).toString("base64url")),
        [secretKeys.username]: base64(defaults.username),
      }),
      // Pulumi generates the Secret's name. If Pulumi replaces the Secret, the pods' spec gets the
      // new name, so Kubernetes replaces the pods.
      metadata: { labels: labels(args.identity, "database"), namespace: args.namespace },
      type: "Opaque",
    },
    // The program generates a new password in each run, but the database keeps its first password.
    // So Pulumi ignores changes to `data`. The user name, the other value in `data`, never changes.
    { ignoreChanges: ["data"], parent },
  );
}

function createService(
  parent: pulumi.Resource,
  name: string,
  args: PostgresInputs,
): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    name,
    {
      metadata: {
        // Pulumi waits for the StatefulSet, so Pulumi does not have to wait for this Service.
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
  args: PostgresInputs,
  secret: k8s.core.v1.Secret,
): k8s.apps.v1.StatefulSet {
  const { identity, namespace } = args;
  return new k8s.apps.v1.StatefulSet(
    name,
    {
      metadata: { labels: labels(identity, "database"), name, namespace },
      spec: postgresStatefulSetSpec(name, args, secret.metadata.name),
    },
    { customTimeouts: { create: defaults.wait, update: defaults.wait }, parent },
  );
}
