import { environment } from "../../../sandbox/environment";
import { apply } from "./commands";

const namespace = "rehearsal-rds";
const host = (name: string): string => `${name}.${namespace}.svc.cluster.local`;

/** Fixture: PostgreSQL databases that replace RDS. These databases do not belong to any stack. */
export const databases = {
  namespace,
  prod: { host: host("prod") },
  staging: { host: host("staging") },
} as const;

/**
 * Starts a PostgreSQL database for staging, and another database for production. `secretValue` is
 * production's password.
 */
export async function startDatabases(secretValue: string): Promise<void> {
  await apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    ...database("prod", secretValue),
    ...database("staging", "staging"),
  );
}

function database(name: string, password: string): object[] {
  const metadata = { labels: { app: name }, name, namespace };
  const values = {
    PGDATA: "/data/pg",
    POSTGRES_DB: "orders",
    POSTGRES_PASSWORD: password,
    POSTGRES_USER: "orders",
  };
  const mounts = { data: "/data", run: "/var/run/postgresql" };
  const container = {
    // A small RDS instance allows several hundred connections. PostgreSQL's default of 100 is too
    // small, because each pod of the service keeps 11 connections open.
    args: ["postgres", "-c", "max_connections=300"],
    env: Object.entries(values).map(([key, value]) => ({ name: key, value })),
    image: environment()["SANDBOX_POSTGRES_IMAGE"],
    name: "postgres",
    securityContext: { runAsUser: 10001 },
    volumeMounts: Object.entries(mounts).map(([volume, mountPath]) => ({
      mountPath,
      name: volume,
    })),
  };
  return [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        automountServiceAccountToken: false,
        containers: [container],
        securityContext: { fsGroup: 10001 },
        volumes: Object.keys(mounts).map((volume) => ({ emptyDir: {}, name: volume })),
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { ports: [{ port: 5432 }], selector: metadata.labels },
    },
  ];
}

/**
 * Creates the Secret that a stack settings file names. On EKS, External Secrets creates this
 * Secret.
 */
export async function fillSecret(stackNamespace: string, password: string): Promise<void> {
  await apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "services-orders-database", namespace: stackNamespace },
    stringData: { password, username: "orders" },
  });
}
