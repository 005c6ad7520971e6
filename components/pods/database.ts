import { isIP } from "node:net";
import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { postgres } from "../conventions/defaults";
import { type Checked, check, integer } from "../conventions/validation";

/** A variable whose name is plain text, so that variables can be sorted. */
export type EnvVar = k8s.types.input.core.v1.EnvVar & { readonly name: string };

/** A PostgreSQL database, and the Secret whose keys `username` and `password` open it. */
export interface Database {
  /** Host name that pods reach the database by. A wrong one keeps every pod unready. */
  readonly host: pulumi.Input<string>;
  /** Name of the database on that host. One that there is not keeps every pod unready. */
  readonly name: string;
  /**
   * TCP port of the database. A wrong one keeps every pod unready.
   *
   * @default 5432
   */
  readonly port?: number;
  /** Name of a Secret in the same namespace. Its values are mounted as files, never as variables. */
  readonly secretName: pulumi.Input<string>;
}

/** The volume of the Secret, and where containers find it. */
export const databaseVolumeName = "database";
export const databaseDirectory = "/etc/secrets/database";
/** Keys of the Secret, and names of the files. */
export const secretKeys = { password: "password", username: "username" } as const;

/** Environment that tells the service where its database is. */
export function databaseEnv(database: Database | undefined): EnvVar[] {
  if (database === undefined) return [];
  const { port = postgres.port } = database;
  return [
    { name: "DATABASE_HOST", value: database.host },
    { name: "DATABASE_NAME", value: database.name },
    { name: "DATABASE_PASSWORD_FILE", value: `${databaseDirectory}/${secretKeys.password}` },
    { name: "DATABASE_PORT", value: String(port) },
    { name: "DATABASE_USERNAME_FILE", value: `${databaseDirectory}/${secretKeys.username}` },
  ];
}

/** A host name of one label or more, the last of which is no number: else it is an address. */
const hostForm =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?![0-9]+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Issues of where the database is. A host that is only known later is a name by the way it is made. */
export function databaseIssues(database: Database | undefined): readonly Checked[] {
  if (database === undefined) return [];
  const { host, port = postgres.port } = database;
  return [
    check(typeof host !== "string" || hostForm.test(host) || isIP(host) !== 0, {
      arg: "database.host",
      got: host,
      rule: "be a host name or an IP address",
      fix: "leave out scheme, port and path",
    }),
    integer("database.port", port, 1, 65_535),
  ];
}

/** Where a container finds the Secret's files. */
export function databaseMounts(
  database: Database | undefined,
): k8s.types.input.core.v1.VolumeMount[] {
  return database === undefined
    ? []
    : [{ mountPath: databaseDirectory, name: databaseVolumeName, readOnly: true }];
}

/** The Secret as a volume: the two keys and no other, readable by the pod's own group only. */
export function databaseVolumes(database: Database | undefined): k8s.types.input.core.v1.Volume[] {
  if (database === undefined) return [];
  const items = Object.values(secretKeys).map((key) => ({ key, path: key }));
  return [
    {
      name: databaseVolumeName,
      secret: { defaultMode: 0o440, items, secretName: database.secretName },
    },
  ];
}
