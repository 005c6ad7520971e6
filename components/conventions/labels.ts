import { companyLabels } from "../../config/labels";
import { labelValue, shortCommit } from "./names";

/**
 * Names and labels that identify a stack's objects. The names and labels must not change while the
 * stack exists.
 */
export interface Identity {
  /**
   * Value of the label `app`: `<service>`, or `<service>-<slug>` outside production. Dashboards and
   * alerts search for this value.
   */
  readonly app: string;
  /**
   * Value of `DD_ENV` and of the label `tags.datadoghq.com/env`. With a wrong value, traces and
   * metrics appear under another environment in Datadog.
   */
  readonly environment: string;
  /**
   * Value of the label `app.kubernetes.io/instance`, which distinguishes the stacks of the service.
   * A canary has the same value as production.
   */
  readonly instance: string;
  /** Whether the stack runs the code of a protected branch. True for staging and production. */
  readonly protectedBranch: boolean;
  /**
   * Name of the service, the same in all stacks. Every selector contains the name, so a change to
   * the name replaces the Deployment.
   */
  readonly service: string;
}

/** Branch and commit of a release. Only workloads and their pods have labels with these values. */
export interface Release {
  /** Full name of the branch. The labels contain this name as a valid label value. */
  readonly branch: string;
  /**
   * Full hash of the last commit that changed the image's content, or `unknown`. Ends with
   * `-dirty.<hash>` if this content has uncommitted changes. With `unknown`, you cannot distinguish
   * versions.
   */
  readonly commit: string;
}

/**
 * Part of the service that an object belongs to. The Service sends requests only to pods of `web`.
 */
export type Component = "database" | "job" | "namespace" | "web";

/** Track of a Deployment's pods: `canary` for a canary's pods, `stable` for all other pods. */
export type Track = "canary" | "stable";

export type Labels = Readonly<Record<string, string>>;

/**
 * Labels that prove that an object belongs to this service and this instance. The name of an object
 * does not prove this.
 */
export const ownerLabels = [
  "app.kubernetes.io/managed-by",
  "app.kubernetes.io/part-of",
  "app.kubernetes.io/instance",
] as const;

/**
 * Returns the first owner label that is missing or does not have the expected value. Undefined if
 * the object belongs to the expected owner.
 */
export function foreignLabel(
  found: Labels,
  expected: Labels,
): (typeof ownerLabels)[number] | undefined {
  return ownerLabels.find((label) => !(label in found) || found[label] !== expected[label]);
}

/** The label that distinguishes a canary's pods from production's pods. */
export const trackLabel = "track";

/**
 * Returns a label selector for a request to the Kubernetes API. The selector matches objects that
 * have all of these labels.
 */
export const labelQuery = (labels: Labels): string =>
  Object.entries(labels)
    .map((pair) => pair.join("="))
    .join(",");

/** Returns the labels that all objects of one instance have. */
export function instanceSelector(identity: Identity): Labels {
  return {
    "app.kubernetes.io/instance": identity.instance,
    "app.kubernetes.io/name": identity.service,
  };
}

/**
 * Returns labels that select pods. A Deployment's selector is immutable: a change replaces the
 * Deployment, which causes downtime. Never add the version, the commit or a caller's label to the
 * selector.
 */
export function selector(identity: Identity, component: Component): Labels {
  return { "app.kubernetes.io/component": component, ...instanceSelector(identity) };
}

/**
 * Returns the selector of the pods of one Deployment. The Deployment, its PodDisruptionBudget, its
 * scheduling rules and the NetworkPolicy of a canary use this selector.
 */
export function trackSelector(identity: Identity, component: Component, track: Track): Labels {
  return { ...selector(identity, component), [trackLabel]: track };
}

/** Returns the labels of every object. A release does not change these labels. */
export function labels(identity: Identity, component: Component): Labels {
  return {
    ...companyLabels,
    ...selector(identity, component),
    app: identity.app,
    // The provider sets this label only with client-side apply. This program uses server-side
    // apply.
    "app.kubernetes.io/managed-by": "pulumi",
    "app.kubernetes.io/part-of": identity.service,
    protected_branch: String(identity.protectedBranch),
    service: identity.service,
  };
}

/** Returns the version that Datadog and our commands show: the short commit. */
export function releaseVersion(release: Release): string {
  return shortCommit(release.commit);
}

/**
 * Returns the labels that only Deployments, CronJobs, PodTemplates and the pods of the service's
 * image have. A release can change the values of these labels.
 */
export function releaseLabels(identity: Identity, release: Release): Labels {
  return {
    branch: labelValue(release.branch),
    commit_id: labelValue(releaseVersion(release)),
    "tags.datadoghq.com/env": labelValue(identity.environment),
    "tags.datadoghq.com/service": identity.service,
    "tags.datadoghq.com/version": labelValue(releaseVersion(release)),
    version: labelValue(release.branch),
  };
}
