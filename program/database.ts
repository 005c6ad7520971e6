import * as pulumi from "@pulumi/pulumi";
import type { PodRequirement } from "../components/conventions/quota";
import type { Database } from "../components/pods/database";
import { Postgres } from "../components/postgres/postgres";
import { environments } from "../environments";
import type { Settings } from "../settings";
import type { ArgsFromSettings } from "./web-service-args";

/**
 * Returns the connection to the stack's database. For stack `local` and for review stacks, this
 * function creates an ephemeral database. For other stacks, the settings contain the address of the
 * database.
 */
export function databaseOf(
  settings: Settings,
  namespace: pulumi.Input<string>,
  opts: pulumi.ComponentResourceOptions,
): Database {
  const { databaseHost = "", databaseImageRef, databaseName, databasePort } = settings;
  const { databaseSecretName, databaseSslMode, environment, identity } = settings;
  if (environments[environment].data === "own") {
    const args = { identity, imageRef: databaseImageRef, namespace };
    return new Postgres("postgres", args, opts).database;
  }
  return {
    host: databaseHost,
    name: databaseName,
    port: databasePort,
    secretName: databaseSecretName,
    sslMode: databaseSslMode,
  };
}

/**
 * Default size of a web pod's connection pool, and the environment variable that sets another size.
 */
const pool = { size: 10, variable: "DATABASE_POOL_SIZE" } as const;
/**
 * Number of connections that each web pod uses for its readiness check, in addition to the pool.
 */
const readiness = 1;
/** Number of connections of a command, such as a job or a migration. */
const perCommand = 1;

/** The pods that connect to the stack's database, and how many of them may run at the same time. */
export interface Demand {
  readonly jobs: readonly PodRequirement[];
  readonly service: PodRequirement;
}

/**
 * Checks that the database allows enough connections for all pods that may run at the same time,
 * including the additional pods of a rollout. If there were too few connections, the last pods of a
 * rollout would not become ready.
 *
 * @throws pulumi.RunError with one line, if the stack may need more connections than the database
 * allows.
 */
export function assertConnections(
  { databaseConnections: limit }: Pick<Settings, "databaseConnections">,
  { env = {} }: Pick<ArgsFromSettings, "env">,
  { jobs, service }: Demand,
): void {
  // If the value of the variable `pool.variable` is a Pulumi output or comes from a Secret, this
  // function cannot find out the size of the pool, and checks nothing.
  const size = env[pool.variable] ?? String(pool.size);
  if (limit === undefined || typeof size !== "string") return;
  const perPod = Number(size) + readiness;
  const ofJobs = jobs.reduce((sum, { pods }) => sum + pods * perCommand, 0);
  const needed = service.pods * perPod + ofJobs;
  if (needed <= limit) return;
  const commands = ofJobs === 0 ? "" : `, and ${String(ofJobs)} for jobs and commands`;
  throw new pulumi.RunError(
    `The database allows ${String(limit)} connections, but the stack may need ${String(needed)} at the same time: ` +
      `${String(service.pods)} pods of ${service.name} during a rollout, with ${String(perPod)} connections each${commands}. ` +
      `Lower "replicas" or the variable ${pool.variable}, or set "databaseConnections" if the database allows more.`,
  );
}
