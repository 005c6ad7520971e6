import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { secretKeys } from "../pods/database";
import { pod, postgres as defaults } from "../conventions/defaults";
import { labels, selector } from "../conventions/labels";
import { applyOverride } from "../conventions/override";
import { containerSecurityContext, podSecurityContext } from "../pods/workload";
import type { WithDefaults } from "../conventions/with-defaults";
import type { PostgresArgs } from "./args";

type Container = k8s.types.input.core.v1.Container;
type Volume = k8s.types.input.core.v1.Volume;

/** The args with all defaults. */
export type PostgresInputs = WithDefaults<PostgresArgs, typeof defaults>;

const dataDirectory = "/var/lib/postgresql/data";
const secretDirectory = "/etc/secrets/postgres";

function container(args: PostgresInputs): Container {
  const { databaseName, imageRef, overrides } = args;
  return applyOverride(overrides?.container, {
    env: [
      // The data is not in the root directory of the volume, because this directory may contain
      // `lost+found`, and PostgreSQL's user does not own the directory.
      { name: "PGDATA", value: `${dataDirectory}/pgdata` },
      { name: "POSTGRES_DB", value: databaseName },
      { name: "POSTGRES_PASSWORD_FILE", value: `${secretDirectory}/${secretKeys.password}` },
      { name: "POSTGRES_USER", value: defaults.username },
    ],
    image: imageRef,
    imagePullPolicy: "IfNotPresent",
    name: "postgres",
    ports: [{ containerPort: defaults.port, name: "postgres", protocol: "TCP" }],
    // The probe uses TCP. At the first start, PostgreSQL initializes the database, and listens only
    // on a Unix socket. So the probe succeeds only after the initialization.
    readinessProbe: {
      exec: {
        command: ["pg_isready", "-h", "127.0.0.1", "-U", defaults.username, "-d", databaseName],
      },
      failureThreshold: 3,
      periodSeconds: 2,
      timeoutSeconds: 3,
    },
    resources: {
      // The limit is above the request, because PostgreSQL fills its shared buffers only while
      // clients use the database.
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

/**
 * Returns the spec of the StatefulSet: one pod with one volume. Kubernetes deletes the volume
 * together with the StatefulSet.
 */
export function postgresStatefulSetSpec(
  name: string,
  args: PostgresInputs,
  secretName: pulumi.Input<string>,
): k8s.types.input.apps.v1.StatefulSetSpec {
  const { identity, overrides, storage } = args;
  const spec = applyOverride(overrides?.podSpec, {
    automountServiceAccountToken: false,
    containers: [container(args)],
    enableServiceLinks: false,
    securityContext: podSecurityContext,
    terminationGracePeriodSeconds: defaults.terminationGracePeriodSeconds,
    volumes: volumes(secretName),
  });
  return applyOverride(overrides?.statefulSetSpec, {
    // The data is ephemeral: the volume must not exist longer than the stack.
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
    // With OrderedReady, Kubernetes does not replace a pod that cannot start, even after someone
    // has fixed the spec.
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
