import { companyLabels } from "../../config/labels";
import { labelValue, shortCommit } from "./names";

/** Names and labels that identify a stack's objects. They never change in the stack's life. */
export interface Identity {
  /** `<service>`, or `<service>-<slug>` outside production. Dashboards and alerts search for it. */
  readonly app: string;
  /**
   * `DD_ENV`, and the label `tags.datadoghq.com/env`.
   * With a wrong value, traces and metrics appear under another environment.
   */
  readonly environment: string;
  /** Distinguishes two installs. A canary has production's instance. */
  readonly instance: string;
  /** Whether the stack runs a protected branch: staging and production. */
  readonly protectedBranch: boolean;
  /**
   * Name of the service, the same in all stacks. It is part of every selector:
   * a change replaces the Deployment.
   */
  readonly service: string;
}

/** What is being released. Only workloads and their pods carry it. */
export interface Release {
  /** Full name of the branch. Labels carry it as a legal label value. */
  readonly branch: string;
  /**
   * Full hash of the last commit that changed the image's content, or `unknown`.
   * With `unknown`, you cannot distinguish versions.
   */
  readonly commit: string;
}

/** The role of an object. Only pods of `web` become endpoints. */
export type Component = "database" | "job" | "namespace" | "web";

/** Which of the pods behind the Service a Deployment runs. */
export type Track = "canary" | "stable";

export type Labels = Readonly<Record<string, string>>;

/** Labels that prove that an object belongs to this service and this instance. A name does not. */
export const ownerLabels = [
  "app.kubernetes.io/managed-by",
  "app.kubernetes.io/part-of",
  "app.kubernetes.io/instance",
] as const;

/**
 * The first owner label that is missing, or whose value is not the expected one. Undefined if the
 * object belongs to the expected owner.
 */
export function foreignLabel(
  found: Labels,
  expected: Labels,
): (typeof ownerLabels)[number] | undefined {
  return ownerLabels.find((label) => !(label in found) || found[label] !== expected[label]);
}

/** The label that distinguishes a canary's pods from production's pods. */
export const trackLabel = "track";

/** The labels as a query of the API, which selects objects that have all of them. */
export const labelQuery = (labels: Labels): string =>
  Object.entries(labels)
    .map((pair) => pair.join("="))
    .join(",");

/** Labels that all objects of one install have. */
export function instanceSelector(identity: Identity): Labels {
  return {
    "app.kubernetes.io/instance": identity.instance,
    "app.kubernetes.io/name": identity.service,
  };
}

/**
 * Labels that select pods. A Deployment's selector is immutable: a change replaces the Deployment,
 * which causes downtime. Never add the version, the commit or a caller's label.
 */
export function selector(identity: Identity, component: Component): Labels {
  return { "app.kubernetes.io/component": component, ...instanceSelector(identity) };
}

/** The selector of one Deployment, its PodDisruptionBudget and its spread constraints. */
export function trackSelector(identity: Identity, component: Component, track: Track): Labels {
  return { ...selector(identity, component), [trackLabel]: track };
}

/** Labels of every object. They do not change in the object's life. */
export function labels(identity: Identity, component: Component): Labels {
  return {
    ...companyLabels,
    ...selector(identity, component),
    app: identity.app,
    // The provider sets it only with client-side apply, which we do not use.
    "app.kubernetes.io/managed-by": "pulumi",
    "app.kubernetes.io/part-of": identity.service,
    protected_branch: String(identity.protectedBranch),
    service: identity.service,
  };
}

/** The version that people and Datadog see. */
export function releaseVersion(release: Release): string {
  return shortCommit(release.commit);
}

/** Labels of Deployments, CronJobs and their pods only. They change with every release. */
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
