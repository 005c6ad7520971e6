import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { logAnnotations } from "../pods/datadog";
import { longMigration as defaults, migrationName, rollout } from "../conventions/defaults";
import { labels, releaseLabels } from "../conventions/labels";
import { objectMetadata, podMetadata, retryAnnotation } from "../conventions/metadata";
import { migrationJobName } from "../conventions/migrations/declaration";
import { applyOverride } from "../conventions/override";
import { commandContainer, workloadInitContainers, workloadPodSpec } from "../pods/workload";
import type { LongMigration } from "./arg-types";
import { applied } from "./deployment";
import type { Named } from "./pod-template";
import type { WebServiceInputs } from "./normalize";

/** How to wait for the Job of a long migration. */
export interface MigrationOptions {
  /**
   * Returns an output that contains the Job when the Job has succeeded. If the Job fails, the
   * output fails with the reason. The Deployment waits for this output.
   *
   * @default - Pulumi's provider waits, for at most `activeDeadlineSeconds` plus 60 s
   */
  readonly waitForMigration?:
    ((job: k8s.batch.v1.Job) => pulumi.Output<k8s.batch.v1.Job>) | undefined;
}

/** A Job, and an input that contains the same Job when the Job has succeeded. */
interface Migrated {
  readonly job: k8s.batch.v1.Job;
  readonly migrated: pulumi.Input<k8s.batch.v1.Job>;
}

function jobSpec(
  web: WebServiceInputs,
  named: Named,
  { activeDeadlineSeconds, retryOf, version }: LongMigration & { activeDeadlineSeconds: number },
): k8s.types.input.batch.v1.JobSpec {
  const { configMapName, serviceAccountName } = named;
  const { identity, release } = web;
  const annotations = {
    ...logAnnotations(migrationName, identity.service, web),
    ...(retryOf === undefined ? {} : { [retryAnnotation]: retryOf }),
  };
  return applyOverride(web.overrides?.migrationJobSpec, {
    activeDeadlineSeconds,
    backoffLimit: defaults.backoffLimit,
    // An eviction of the pod, for example during the drain of a node, does not count as a failure
    // of the migration.
    podFailurePolicy: {
      rules: [
        { action: "Ignore", onPodConditions: [{ status: "True", type: "DisruptionTarget" }] },
      ],
    },
    template: {
      // The pods have the labels of the component `job`. With the labels of the component `web`,
      // the Service would send requests to these pods.
      metadata: podMetadata(
        web,
        { ...labels(identity, "job"), ...releaseLabels(identity, release) },
        annotations,
      ),
      spec: {
        ...workloadPodSpec(web, configMapName),
        containers: [
          commandContainer(web, migrationName, [
            ...web.migrationArgs,
            defaults.versionOption,
            version,
          ]),
        ],
        ...workloadInitContainers(web, []),
        // Each retry starts a new pod, so that the failed pod keeps its log.
        restartPolicy: "Never",
        serviceAccountName,
      },
    },
  });
}

/**
 * Creates the Job of a long migration. The pod template of a Job is immutable, so Pulumi ignores
 * changes to the spec of a Job that exists. With `retryOf`, Pulumi replaces the Job.
 */
export function createMigrationJob(
  parent: pulumi.Resource,
  component: string,
  web: WebServiceInputs,
  named: Named,
  { longMigration, waitForMigration }: MigrationOptions & { readonly longMigration: LongMigration },
): Migrated {
  const { activeDeadlineSeconds = defaults.activeDeadlineSeconds, retryOf } = longMigration;
  const name = migrationJobName(component, longMigration.version);
  const wait = `${String(activeDeadlineSeconds + rollout.pulumiWaitMarginSeconds)}s`;
  const annotations: Readonly<Record<string, string>> =
    waitForMigration === undefined
      ? // Without this annotation, an update after a failure would wait for the failed Job again.
        { "pulumi.com/replaceUnready": "true" }
      : applied;
  const job = new k8s.batch.v1.Job(
    name,
    {
      metadata: {
        ...objectMetadata(web, labels(web.identity, "job"), annotations),
        name,
        namespace: web.namespace,
      },
      spec: jobSpec(web, named, { ...longMigration, activeDeadlineSeconds }),
    },
    {
      ...(waitForMigration === undefined && { customTimeouts: { create: wait } }),
      deleteBeforeReplace: true,
      ...(retryOf === undefined
        ? { ignoreChanges: ["spec"] }
        : { replaceOnChanges: ["spec.template"] }),
      parent,
    },
  );
  return { job, migrated: waitForMigration?.(job) ?? job };
}
