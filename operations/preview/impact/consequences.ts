import type { Effect } from "./impact";

/** What a change to an object of one kind does to the running service. */
export interface Consequence {
  /**
   * Whether a person must check the change because it may stop the service or delete data.
   */
  readonly dangerous?: boolean;
  readonly effect: Effect;
  /** Text for this effect in the summary. Default: the text for this effect in `words`. */
  readonly says?: string;
}

/**
 * Consequences for one kind of object. The keys of `fields` are patterns of paths, and the first
 * pattern that covers a field's path applies.
 */
export interface Kind {
  readonly create?: Consequence;
  readonly delete: Consequence;
  readonly fields: Readonly<Record<string, Consequence>>;
  readonly replace: Consequence;
}

const created: Consequence = { effect: "created" };
const nothing: Consequence = { effect: "nothing" };
const nextRun: Consequence = { effect: "nextRun" };
const remade: Consequence = { effect: "remade" };
const rolling: Consequence = { effect: "rolling" };
const scaled: Consequence = { effect: "scaled" };
const replaced: Consequence = { dangerous: true, effect: "replaced" };

const harmless = (says: string): Consequence => ({ effect: "nothing", says });
const lost = (says: string): Consequence => ({ dangerous: true, effect: "deleted", says });
const traffic = (says: string): Consequence => ({ effect: "traffic", says });
const replacing = (says: string): Consequence => ({ ...replaced, says });
/**
 * Returns the consequences for one kind of object. Every change to this kind of object has the same
 * consequence.
 */
const always = (consequence: Consequence): Kind => ({
  create: consequence,
  delete: consequence,
  fields: { "": consequence },
  replace: consequence,
});

const admission = harmless("nothing: it applies to new pods");
const untilNewPods = harmless("nothing until the pods are replaced");
const connections = traffic("allowed connections change immediately");
const rights = traffic("permissions change immediately, also in running pods");
const dataLost = replacing("REPLACED, downtime, and its data are deleted");
/**
 * Replacement of a ConfigMap or Secret. The object's name changes with its content, and the pod
 * template contains the new name, so new pods use the new object.
 */
const mounted: Consequence = { effect: "remade", says: "recreated; new pods use it" };

/**
 * Consequences of each change, by the kind of the object. If a field is missing in this table, the
 * preview reports the impact of a change to this field as unknown, never as harmless. If a kind is
 * missing in this table, {@link undescribed} applies.
 */
export const consequences: Readonly<Record<string, Kind>> = {
  ConfigMap: {
    delete: nothing,
    fields: { metadata: nothing, "": untilNewPods },
    replace: mounted,
  },
  CronJob: {
    create: { effect: "created", says: "new job" },
    delete: {
      effect: "deleted",
      says: "deleted: no more runs, and a current run is stopped",
    },
    fields: {
      "spec.schedule": nextRun,
      "spec.timeZone": nextRun,
      "spec.suspend": nextRun,
      "spec.jobTemplate": nextRun,
      "spec.successfulJobsHistoryLimit": nothing,
      "spec.failedJobsHistoryLimit": nothing,
      spec: nextRun,
      metadata: nothing,
    },
    replace: { effect: "remade", says: "recreated: a current run is stopped" },
  },
  Deployment: {
    delete: lost("deleted: its pods end"),
    fields: {
      "spec.selector": replaced,
      "spec.replicas": scaled,
      "spec.template": rolling,
      // The other fields of `spec` determine only how the next rollout works, and how long
      // Kubernetes waits for the rollout.
      spec: nothing,
      metadata: nothing,
    },
    replace: replaced,
  },
  HorizontalPodAutoscaler: {
    create: { effect: "scaled", says: "the autoscaler decides the number of pods" },
    delete: { effect: "scaled", says: "the number of pods stays as it is" },
    fields: {
      spec: { effect: "scaled", says: "autoscaler thresholds change" },
      metadata: nothing,
    },
    replace: remade,
  },
  Image: {
    create: { effect: "build" },
    delete: harmless("nothing: the image stays in the registry"),
    fields: { "": { effect: "build" } },
    replace: { effect: "build" },
  },
  Ingress: {
    delete: lost("deleted: its hosts stop answering"),
    fields: {
      "spec.rules[*].host": traffic("the old host stops answering, the new one starts"),
      "spec.rules": traffic("other hosts or paths answer"),
      "spec.tls": traffic("another certificate"),
      "spec.ingressClassName": traffic("another load balancer answers"),
      spec: { effect: "traffic" },
      "metadata.annotations": traffic("the load balancer is reconfigured"),
      metadata: nothing,
    },
    replace: replaced,
  },
  // The program creates Jobs only for long migrations.
  Job: {
    create: { effect: "created", says: "a long migration runs before the rollout" },
    delete: harmless("nothing: the migration has ended, or an init container continues it"),
    fields: { "": nothing },
    replace: { effect: "remade", says: "the long migration runs again" },
  },
  LimitRange: { delete: admission, fields: { "": admission }, replace: admission },
  Namespace: {
    delete: lost("deleted, with everything in it"),
    fields: { metadata: admission },
    replace: replacing("REPLACED, downtime: everything in it is deleted"),
  },
  NetworkPolicy: {
    ...always(connections),
    fields: { spec: connections, metadata: nothing },
  },
  PersistentVolumeClaim: {
    delete: lost("deleted, with its data"),
    fields: {
      "spec.resources.requests.storage": harmless("nothing: the volume grows"),
      metadata: nothing,
      spec: replaced,
    },
    replace: replacing("REPLACED: its data are deleted"),
  },
  // A PodDisruptionBudget limits evictions when a node is drained, so a change does not affect
  // running pods.
  PodDisruptionBudget: always(harmless("nothing: it applies when a node is drained")),
  // `npm run run` creates a Job with the pod template in the current PodTemplate.
  PodTemplate: {
    create: { effect: "created", says: "new: npm run run becomes possible" },
    delete: harmless("nothing: npm run run is no longer possible; a running command continues"),
    fields: { template: nextRun, metadata: nothing },
    replace: remade,
  },
  ResourceQuota: { delete: admission, fields: { "": admission }, replace: admission },
  Role: always(rights),
  RoleBinding: always(rights),
  Secret: {
    delete: lost("deleted: new pods that need it do not start"),
    fields: { metadata: nothing, "": untilNewPods },
    replace: mounted,
  },
  Service: {
    delete: lost("deleted: its name stops resolving"),
    fields: {
      "spec.selector": { dangerous: true, effect: "traffic", says: "requests go to other pods" },
      "spec.ports": traffic("its callers must use other ports"),
      "spec.clusterIP": replaced,
      "spec.type": replaced,
      spec: { effect: "traffic" },
      metadata: nothing,
    },
    replace: replaced,
  },
  ServiceAccount: {
    create: created,
    delete: { effect: "deleted", says: "deleted: new pods that need it do not start" },
    fields: { "": untilNewPods },
    replace: remade,
  },
  StatefulSet: {
    delete: lost("deleted, with its data"),
    fields: {
      "spec.replicas": scaled,
      "spec.template": {
        effect: "restarts",
        says: "the database restarts: no connections until it is ready",
      },
      "spec.updateStrategy": nothing,
      "spec.minReadySeconds": nothing,
      "spec.persistentVolumeClaimRetentionPolicy": harmless(
        "nothing now: it decides later whether the data are kept",
      ),
      metadata: nothing,
      spec: dataLost,
    },
    replace: dataLost,
  },
  // A Pulumi provider determines which cluster Pulumi changes, and how Pulumi connects to this
  // cluster.
  Provider: {
    create: nothing,
    delete: nothing,
    fields: { "": nothing },
    replace: replacing("REPLACED, downtime: every object is recreated, in another cluster"),
  },
};

/** Consequences for a kind of object that is missing in `consequences`. */
export const undescribed: Kind = {
  create: created,
  delete: { dangerous: true, effect: "deleted" },
  fields: { "": { effect: "unknown" } },
  replace: {
    dangerous: true,
    effect: "unknown",
    says: "REPLACED, unknown impact: read Pulumi's diff",
  },
};

/** Matches Kubernetes' error about a change to an immutable field. */
export const immutableAnswer = /\bis immutable\b|Forbidden: updates to /;

/** Matches Pulumi's error about the replacement or deletion of a protected resource. */
export const protectedAnswer =
  /\bas it is currently marked for protection\b|\bcannot be deleted\s+because it is protected\b/;

/**
 * Fields with the branch and the commit of the release. These fields change with the release, so
 * the summary has only one line about all of these fields.
 */
export const releaseFields: readonly string[] = [
  "",
  "template.",
  "spec.template.",
  "spec.jobTemplate.spec.template.",
]
  .flatMap((prefix) =>
    [".branch", ".commit_id", ".version", '["tags.datadoghq.com/version"]'].map(
      (label) => `${prefix}metadata.labels${label}`,
    ),
  )
  .concat(
    ["template.spec", "spec.template.spec", "spec.jobTemplate.spec.template.spec"].flatMap((pod) =>
      ["containers", "initContainers"].map((list) => `${pod}.${list}[*].env[name=DD_VERSION]`),
    ),
  );
