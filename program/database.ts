import type * as pulumi from "@pulumi/pulumi";
import type { Database } from "../components/pods/database";
import { Postgres } from "../components/postgres/postgres";
import { environments } from "../environments";
import type { Settings } from "../settings";

/** The database of the settings, or one that the stack creates and deletes. */
export function databaseOf(
  settings: Settings,
  namespace: pulumi.Input<string>,
  opts: pulumi.ComponentResourceOptions,
): Database {
  const { databaseHost = "", databaseImageRef, databaseName, databasePort } = settings;
  const { databaseSecretName, environment, identity } = settings;
  if (environments[environment].data === "own") {
    const args = { identity, imageRef: databaseImageRef, namespace };
    return new Postgres("postgres", args, opts).database;
  }
  return {
    host: databaseHost,
    name: databaseName,
    port: databasePort,
    secretName: databaseSecretName,
  };
}
