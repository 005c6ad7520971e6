import { service } from "../../config/service";

/**
 * Roles of CI jobs. A role decides what a job may do in AWS and in the cluster. A job has one role.
 */
export const ciRoles = [
  "preview",
  "review",
  "staging",
  "prod",
  "canary-removal",
  "review-removal",
] as const;
export type CiRoleName = (typeof ciRoles)[number];

/**
 * Those that the cluster knows by their IAM role. Jobs on review stacks come with CircleCI's own
 * token.
 */
export type ClusterCiRoleName = Exclude<CiRoleName, "review" | "review-removal">;
export const isClusterCiRole = (ciRole: CiRoleName): ciRole is ClusterCiRoleName =>
  ciRole !== "review" && ciRole !== "review-removal";

/**
 * Branch whose jobs may reach staging and production, and remove what every other branch leaves.
 */
export const mainBranch = "main";

/** Name of the IAM role. */
export function roleName(ciRole: CiRoleName): string {
  return `${service}-${ciRole}`;
}

/**
 * Kubernetes group of a role, as EKS gives it to the IAM role. Jobs on review stacks have no
 * such group: the cluster knows them by CircleCI's token itself, see {@link reviewGroup}.
 */
export function clusterGroup(ciRole: ClusterCiRoleName): string {
  return `${service}:${ciRole}`;
}

/** Prefix of every user and group that the cluster takes from a token of CircleCI. */
export const tokenPrefix = "circleci:";

/** Kubernetes group of all jobs of the CircleCI project. */
export function reviewGroup(projectId: string): string {
  return `${tokenPrefix}${projectId}`;
}

/** Kubernetes user of the jobs of a branch: the token's `vcs-ref`, which the job cannot choose. */
export function reviewUser(branch: string): string {
  return `${tokenPrefix}refs/heads/${branch}`;
}

/**
 * Kubernetes user of the jobs that remove review stacks. With a deploy project it is the user of an
 * IAM role that only this project may have. Without one it is main: the cluster knows the tokens of
 * one project.
 */
export function removalUser(hasDeployProject: boolean): string {
  return hasDeployProject ? `${service}:review-removal` : reviewUser(mainBranch);
}

/** How the namespace of a review stack is tied to the branch that it belongs to. */
export const reviewAccess = {
  /** Name of the RoleBinding that gives the branch, and main, their rights in the namespace. */
  bindingName: "review",
  /** The rights themselves, a ClusterRole of the platform. */
  clusterRole: `${service}-review-namespace`,
  /** Start of the names of all review namespaces. */
  namespacePrefix: `${service}-review-`,
  /** Annotation of the namespace: the {@link reviewUser} it belongs to. Never changes. */
  ownerAnnotation: `${service}/owner`,
} as const;

/**
 * Name of a canary's Deployment. Its removal may delete only this name, and names that start with
 * it and a hyphen.
 */
export const canaryName = `${service}-canary`;

/**
 * Group of the Ingresses of review stacks, which share one load balancer. No other Ingress is in
 * it.
 */
export const reviewIngressGroup = `${service}-review`;
