import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { secretKeys } from "../pods/database";
import { pod, postgres as defaults } from "../conventions/defaults";
import { type Identity, labels, selector } from "../conventions/labels";
import { applyOverride } from "../conventions/override";
import { containerSecurityContext, podSecurityContext } from "../pods/workload";
import type { PostgresOverrides } from "./postgres";

type Container = k8s.types.input.core.v1.Container;
type Volume = k8s.types.input.core.v1.Volume;

interface PostgresPods {
  readonly databaseName: string;
  readonly identity: Identity;
  readonly imageRef: string;
  readonly name: string;
  readonly overrides: PostgresOverrides;
  readonly secretName: pulumi.Input<string>;
  readonly storage: string;
}

const dataDirectory = "/var/lib/postgresql/data";
const secretDirectory = "/etc/secrets/postgres";

function container(pods: PostgresPods): Container {
  const { databaseName, imageRef, overrides } = pods;
  return applyOverride(overrides.container, {
    env: [
      // Below the volume's root, which may hold `lost+found` and has another owner.
      { name: "PGDATA", value: `${dataDirectory}/pgdata` },
      { name: "POSTGRES_DB", value: databaseName },
      { name: "POSTGRES_PASSWORD_FILE", value: `${secretDirectory}/${secretKeys.password}` },
      { name: "POSTGRES_USER", value: defaults.username },
    ],
    image: imageRef,
    imagePullPolicy: "IfNotPresent",
    name: "postgres",
    ports: [{ containerPort: defaults.port, name: "postgres", protocol: "TCP" }],
    // By TCP: while the image makes the database, its server answers on the socket only.
    readinessProbe: {
      exec: {
        command: ["pg_isready", "-h", "127.0.0.1", "-U", defaults.username, "-d", databaseName],
      },
      failureThreshold: 3,
      periodSeconds: 2,
      timeoutSeconds: 3,
    },
    resources: {
      // Above the request: shared buffers fill only when they are used.
      limits: { memory: defaults.memoryLimit },
      requests: { ...defaults.requests },
    },
    securityContext: containerSecurityContext,
    volumeMounts: [
      { mountPath: dataDirectory, name: "data" },
      { mountPath: secretDirectory, name: "password", readOnly: true },
      { mountPath: "/var/run/postgresql", name: "run" },
      { mountPath: "/tmp", name: "tmp" },
    ],
  });
}

function volumes(secretName: pulumi.Input<string>): Volume[] {
  const items = [{ key: secretKeys.password, path: secretKeys.password }];
  return [
    { name: "password", secret: { defaultMode: 0o440, items, secretName } },
    { emptyDir: { sizeLimit: pod.tmpSizeLimit }, name: "run" },
    { emptyDir: { sizeLimit: pod.tmpSizeLimit }, name: "tmp" },
  ];
}

/** One pod with one volume, which goes with the StatefulSet. */
export function postgresStatefulSetSpec(
  pods: PostgresPods,
): k8s.types.input.apps.v1.StatefulSetSpec {
  const { identity, name, overrides, secretName, storage } = pods;
  const spec = applyOverride(overrides.podSpec, {
    automountServiceAccountToken: false,
    containers: [container(pods)],
    enableServiceLinks: false,
    securityContext: podSecurityContext,
    terminationGracePeriodSeconds: defaults.terminationGracePeriodSeconds,
    volumes: volumes(secretName),
  });
  return applyOverride(overrides.statefulSetSpec, {
    // The data is a throw-away's: it must not outlive the stack.
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
    // In order, a pod that cannot start would be waited for and never be replaced by a better one.
    podManagementPolicy: "Parallel",
    replicas: 1,
    selector: { matchLabels: selector(identity, "database") },
    serviceName: name,
    template: { metadata: { labels: labels(identity, "database") }, spec },
    volumeClaimTemplates: [
      {
        metadata: { labels: selector(identity, "database"), name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
      },
    ],
  });
}
