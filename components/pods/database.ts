import { isIP } from "node:net";
import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { postgres, sslModes } from "../conventions/defaults";
import { type Checked, check, integer } from "../conventions/validation";

/**
 * An environment variable. The name is plain text and not an output, so that the component can sort
 * the variables by name.
 */
export type EnvVar = k8s.types.input.core.v1.EnvVar & { readonly name: string };

/** Value of PostgreSQL's connection parameter `sslmode`. */
type SslMode = (typeof sslModes)[number];

/** A PostgreSQL database, and a Secret with the keys `username` and `password`. */
export interface Database {
  /**
   * Host name of the database. With a wrong host, new web pods do not become ready, and jobs fail.
   */
  readonly host: pulumi.Input<string>;
  /**
   * Name of the database on the host. If the database does not exist, new web pods do not become
   * ready, and jobs fail.
   */
  readonly name: string;
  /**
   * TCP port of the database. With a wrong port, new web pods do not become ready, and jobs fail.
   *
   * @default 5432
   */
  readonly port?: number;
  /**
   * PostgreSQL's `sslmode`, which determines whether the service encrypts the connection and
   * verifies the server. Only `verify-full` checks both the certificate and the host name in the
   * certificate. `verify-ca` and `verify-full` read the trusted certificate authorities from the
   * Secret's key `ca.crt`. If the Secret does not have this key, no new pod starts in these two
   * modes. With `prefer`, anyone who controls the network between the service and the database can
   * read and change all data.
   *
   * @default "prefer"
   * @see https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
   */
  readonly sslMode?: SslMode;
  /**
   * Name of a Secret in the namespace of the pods. The pods read the values of the Secret from
   * files, not from environment variables.
   */
  readonly secretName: pulumi.Input<string>;
}

/** Name of the volume with the Secret's files, and the volume's mount path. */
export const databaseVolumeName = "database";
export const databaseDirectory = "/etc/secrets/database";
/** Keys of the Secret. The mounted files have the names of these keys. */
export const secretKeys = { password: "password", username: "username" } as const;
/**
 * Key of the trusted certificate authorities in the Secret. The mounted file has the name of this
 * key.
 */
const rootCertificateKey = "ca.crt";

function verifies({ sslMode = postgres.sslMode }: Database): boolean {
  return sslMode === "verify-ca" || sslMode === "verify-full";
}

/** Returns the port of the database. */
export const portOf = ({ port = postgres.port }: Pick<Database, "port"> = {}): number => port;

/**
 * Returns the environment variables with the connection data. Without a database, returns an empty
 * list.
 */
export function databaseEnv(database: Database | undefined): EnvVar[] {
  if (database === undefined) return [];
  const { sslMode = postgres.sslMode } = database;
  return [
    { name: "DATABASE_HOST", value: database.host },
    { name: "DATABASE_NAME", value: database.name },
    { name: "DATABASE_PASSWORD_FILE", value: `${databaseDirectory}/${secretKeys.password}` },
    { name: "DATABASE_PORT", value: String(portOf(database)) },
    { name: "DATABASE_SSLMODE", value: sslMode },
    ...(verifies(database)
      ? [{ name: "DATABASE_SSLROOTCERT", value: `${databaseDirectory}/${rootCertificateKey}` }]
      : []),
    { name: "DATABASE_USERNAME_FILE", value: `${databaseDirectory}/${secretKeys.username}` },
  ];
}

/**
 * Form of a host name. The last label of a host name must not be a number, because only an IP
 * address ends with a number.
 */
const hostForm =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?![0-9]+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * Checks the arg `database` and returns the issues. The function does not check a host that is an
 * output, because the value of an output is not known yet.
 */
export function databaseIssues(database: Database | undefined): readonly Checked[] {
  if (database === undefined) return [];
  const { host, port = postgres.port, sslMode = postgres.sslMode } = database;
  return [
    check(typeof host !== "string" || hostForm.test(host) || isIP(host) !== 0, {
      arg: "database.host",
      got: host,
      rule: "be a host name or an IP address",
      fix: "leave out scheme, port and path",
    }),
    integer("database.port", port, 1, 65_535),
    check(sslModes.includes(sslMode), {
      arg: "database.sslMode",
      got: sslMode,
      rule: `be one of ${sslModes.join(", ")}`,
      fix: 'use "verify-full" for a database outside of the namespace',
    }),
  ];
}

/** Returns the mount of the Secret's files. Without a database, returns an empty list. */
export function databaseMounts(
  database: Database | undefined,
): k8s.types.input.core.v1.VolumeMount[] {
  return database === undefined
    ? []
    : [{ mountPath: databaseDirectory, name: databaseVolumeName, readOnly: true }];
}

/**
 * Returns the volume of the Secret. Without a database, returns an empty list. The volume contains
 * only the keys that the service reads. Only root and the pod's group can read the files.
 */
export function databaseVolumes(database: Database | undefined): k8s.types.input.core.v1.Volume[] {
  if (database === undefined) return [];
  const keys = [...Object.values(secretKeys), ...(verifies(database) ? [rootCertificateKey] : [])];
  const items = keys.map((key) => ({ key, path: key }));
  return [
    {
      name: databaseVolumeName,
      secret: { defaultMode: 0o440, items, secretName: database.secretName },
    },
  ];
}
