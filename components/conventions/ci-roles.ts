import { service } from "../../config/service";

/**
 * Roles of CI jobs. A role determines what a job may do in AWS and in the cluster. A job has one
 * role.
 */
export const ciRoles = [
  "preview",
  "review",
  "staging",
  "prod",
  "canary-removal",
  "review-removal",
  "notifier",
] as const;
export type CiRoleName = (typeof ciRoles)[number];

/**
 * The roles that the code of every branch may use. Only the code of main may use the other roles.
 */
export const branchRoles: readonly CiRoleName[] = ["preview", "review"];

/**
 * CI roles of jobs that the cluster identifies by an IAM role. For the Kubernetes users of the
 * roles `review` and `review-removal`, see {@link reviewUser} and {@link removalUser}.
 */
export type ClusterCiRoleName = Exclude<CiRoleName, "review" | "review-removal">;
export const isClusterCiRole = (ciRole: CiRoleName): ciRole is ClusterCiRoleName =>
  ciRole !== "review" && ciRole !== "review-removal";

/**
 * Folder in the state backend. The job notifier stores its lists of reported runs in this folder,
 * with one object for each stack. The folder is next to Pulumi's own folder `.pulumi`.
 */
export const notifierFolder = `notifier/${service}`;

/**
 * Branch whose CI jobs may change staging and production, and may remove the review stacks and
 * canaries of other branches.
 */
export const mainBranch = "main";

/** Returns the name of the IAM role for a CI role. */
export function roleName(ciRole: CiRoleName): string {
  return `${service}-${ciRole}`;
}

/**
 * Returns the Kubernetes group of the CircleCI jobs that use a CI role. EKS maps the IAM role of
 * these jobs to this group. The jobs of review stacks have the group {@link reviewGroup}, which the
 * cluster reads from CircleCI's token.
 */
export function clusterGroup(ciRole: ClusterCiRoleName): string {
  return `${service}:${ciRole}`;
}

/** Prefix of every user and group that the cluster reads from a token of CircleCI. */
export const tokenPrefix = "circleci:";

/**
 * Returns the Kubernetes group of the jobs that authenticate with a token of the given CircleCI
 * project. The jobs that remove review stacks always have this group, either from such a token or
 * from their IAM role.
 */
export function reviewGroup(projectId: string): string {
  return `${tokenPrefix}${projectId}`;
}

/**
 * Returns the Kubernetes user of a branch's review jobs. The cluster reads this user from the claim
 * `vcs-ref` of CircleCI's token. A job cannot choose the value of this claim.
 */
export function reviewUser(branch: string): string {
  return `${tokenPrefix}refs/heads/${branch}`;
}

/**
 * Returns the Kubernetes user of the jobs that remove review stacks. Without a deploy project, the
 * function returns the user of main's jobs. The cluster accepts the tokens of only one CircleCI
 * project, so the jobs of a deploy project use an IAM role that only the deploy project may assume.
 */
export function removalUser(hasDeployProject: boolean): string {
  return hasDeployProject ? `${service}:review-removal` : reviewUser(mainBranch);
}

/** Names that connect the namespace of a review stack with the branch that owns the namespace. */
export const reviewAccess = {
  /**
   * Annotations that the `npm run` commands write into the namespace. The branch's jobs may write
   * any value, so the code that reads an annotation checks the value.
   */
  annotations: {
    /**
     * Time before which the review stack does not expire, if someone has run `npm run review --
     * extend`.
     */
    extendedUntil: `${service}/extended-until`,
    /** Time of the review stack's last update. */
    lastUpdate: `${service}/last-update`,
    /** Person who made the review stack's last update. */
    person: `${service}/person`,
    /** Repository of the branch. */
    remote: `${service}/remote`,
  },
  /**
   * Name of the RoleBinding that gives permissions in the namespace to the CI jobs of the
   * namespace's branch. The jobs that remove review stacks get the same permissions.
   */
  bindingName: "review",
  /**
   * Name of the ClusterRole with the permissions that this RoleBinding gives. The platform project
   * creates this ClusterRole.
   */
  clusterRole: `${service}-review-namespace`,
  /** Prefix of the names of all review namespaces. */
  namespacePrefix: `${service}-review-`,
  /**
   * Annotation of the namespace. The value is the Kubernetes user of the owning branch's jobs
   * ({@link reviewUser}). The value never changes.
   */
  ownerAnnotation: `${service}/owner`,
} as const;

/**
 * Kubernetes groups of people, and the names of the ClusterRoles and of the RoleBinding that give
 * permissions to these groups. EKS maps the IAM roles in the platform's settings to these groups.
 */
export const people = {
  /** People who may read objects, run commands and debug in staging and in review stacks. */
  developers: {
    /** Name of the RoleBinding that a review stack creates for this group in its namespace. */
    bindingName: "developers",
    clusterRole: `${service}-developer`,
    group: `${service}:developer`,
  },
  /** People who may read objects and logs of production, but may not change anything. */
  productionReaders: {
    clusterRole: `${service}-prod-reader`,
    group: `${service}:prod-reader`,
  },
} as const;

/**
 * Name of a canary's Deployment. The CI job that removes a canary may delete only objects with this
 * name, or with this name followed by a hyphen and more text.
 */
export const canaryName = `${service}-canary`;

/**
 * Group of the Ingresses of review stacks. These Ingresses share one load balancer. No other
 * Ingress is in this group.
 */
export const reviewIngressGroup = `${service}-review`;

/**
 * Pattern of the host of a review stack, for the setting `hostPattern` and for the platform's
 * policy. The name of the service and the slug form one DNS label, because a wildcard certificate
 * (`*.{domain}`) covers exactly one DNS label. With a slug of 30 characters, this DNS label has 46
 * characters. DNS allows 63 characters.
 */
export const reviewHostPattern = `${service}-{slug}.{domain}`;
