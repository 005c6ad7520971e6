import { labelValue, shortCommit } from "./names";

/** What a stack's objects are recognised by; the same for the stack's whole life. */
export interface Identity {
  /** `<service>`, or `<service>-<slug>` outside production. Dashboards and alerts look for it. */
  readonly app: string;
  /**
   * `DD_ENV`, and the label `tags.datadoghq.com/env`. A wrong one lays traces and metrics to
   * another environment.
   */
  readonly environment: string;
  /** Tells two installs apart. A canary shares production's. */
  readonly instance: string;
  /** Whether the stack runs a protected branch: staging and production. */
  readonly protectedBranch: boolean;
  /**
   * Name of the service, which its objects share in all stacks. It is part of every selector: a
   * change replaces the Deployment.
   */
  readonly service: string;
}

/** What is being released. Known to workloads and their pods, and to nothing else. */
export interface Release {
  /** Full name of the branch; labels carry it as a legal value. */
  readonly branch: string;
  /**
   * Full commit that last touched what goes into the image, or `unknown`. With `unknown`, versions
   * cannot be told apart.
   */
  readonly commit: string;
}

/** The role of an object. Only pods of `web` ever become endpoints. */
export type Component = "database" | "job" | "namespace" | "web";

/** Which of the pods behind one Service a Deployment runs. */
export type Track = "canary" | "stable";

export type Labels = Readonly<Record<string, string>>;

/** The label that tells the pods of a canary from production's own. */
export const trackLabel = "track";

/** Labels that all objects of one install have. */
export function instanceSelector(identity: Identity): Labels {
  return {
    "app.kubernetes.io/instance": identity.instance,
    "app.kubernetes.io/name": identity.service,
  };
}

/**
 * Labels that select pods. Selectors of Deployments are immutable, and a change replaces the
 * Deployment, which is downtime: never add the version, the commit or a caller's label.
 */
export function selector(identity: Identity, component: Component): Labels {
  return { "app.kubernetes.io/component": component, ...instanceSelector(identity) };
}

/** The selector of what belongs to one Deployment only: itself, its budget, its spread. */
export function trackSelector(identity: Identity, component: Component, track: Track): Labels {
  return { ...selector(identity, component), [trackLabel]: track };
}

/** Labels of every object: none of them changes in the object's life. */
export function labels(identity: Identity, component: Component): Labels {
  return {
    ...selector(identity, component),
    app: identity.app,
    // The provider sets it only in client-side-apply mode, which we do not use.
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

/** Labels of Deployments, CronJobs and their pods only: they change with every release. */
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
