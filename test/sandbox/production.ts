import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { environment } from "../../tools/sandbox/environment";
import type { Clone } from "./clone";
import { apply, kubectl } from "./commands";

/** Where a production for tests is; nothing else is in these namespaces. */
export const production = {
  database: "ops-database",
  host: "services-orders.ops.localhost",
  namespace: "ops-production",
} as const;

const secretName = "services-orders-database";

/** What the committed file of production says otherwise here. */
const overridden = {
  "services-orders:databaseHost": `postgres.${production.database}.svc.cluster.local`,
  "services-orders:domain": "ops.localhost",
  "services-orders:eksCluster": "none",
  "services-orders:namespace": production.namespace,
};

/** Fits production's file to the sandbox, and starts the database that stands in for RDS. */
export async function prepareProduction(clone: Clone): Promise<void> {
  const file = join(clone.directory, "Pulumi.prod.yaml");
  const { config } = parse(readFileSync(file, "utf8")) as { config: object };
  writeFileSync(file, stringify({ config: { ...config, ...overridden } }));
  const metadata = {
    labels: { app: "postgres" },
    name: "postgres",
    namespace: production.database,
  };
  await apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: production.database } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            env: [
              { name: "PGDATA", value: "/data/pg" },
              { name: "POSTGRES_DB", value: "orders" },
              { name: "POSTGRES_PASSWORD", value: "ops" },
              { name: "POSTGRES_USER", value: "orders" },
            ],
            image: environment()["SANDBOX_POSTGRES_IMAGE"],
            name: "postgres",
            securityContext: { runAsUser: 10001 },
            volumeMounts: [
              { mountPath: "/data", name: "data" },
              { mountPath: "/var/run/postgresql", name: "run" },
            ],
          },
        ],
        securityContext: { fsGroup: 10001 },
        volumes: [
          { emptyDir: {}, name: "data" },
          { emptyDir: {}, name: "run" },
        ],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { ports: [{ port: 5432 }], selector: metadata.labels },
    },
  );
}

/** What External Secrets does in production: fills the Secret once its namespace is there. */
export async function fillSecret(): Promise<void> {
  const namespace = ["get", "namespace", production.namespace, "--ignore-not-found", "-o", "name"];
  for (let waited = 0; waited < 240 && (await kubectl(namespace)) === ""; waited++)
    await sleep(500);
  await apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secretName, namespace: production.namespace },
    stringData: { password: "ops", username: "orders" },
  });
}

/** Takes production away, which its protection keeps every command of ours from doing. */
export async function removeProduction(): Promise<void> {
  await kubectl([
    ...["delete", "namespace", production.namespace, production.database],
    ...["--ignore-not-found", "--timeout=120s"],
  ]);
}
