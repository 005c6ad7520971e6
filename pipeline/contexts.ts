import { branchRoles, type CiRoleName, mainBranch } from "../components/conventions/ci-roles";
import { deployProject } from "../config/circleci";
import { service } from "../config/service";

/**
 * Facts about a CircleCI context, for the code in this directory. CircleCI itself restricts the use
 * of the context, so the code of a branch cannot change the restrictions. docs/pipeline.md lists
 * the restrictions and the steps to set them.
 */
export interface Context {
  /** Whether a job with this context can deploy to production. Such a job needs an approval. */
  readonly changesProduction?: boolean;
  /**
   * Whether the context contains the variables of one IAM role (`AWS_ROLE_ARN`, `AWS_REGION`,
   * `PULUMI_BACKEND_URL`). The other contexts contain secrets: a token for GitHub, or webhooks of
   * Slack.
   */
  readonly hasRole?: boolean;
  /**
   * Whether workflows that run a branch's own code may use the context. If false, only workflows
   * that run the code of main may use the context.
   */
  readonly onBranches: boolean;
}

/**
 * Returns the facts about the context of an IAM role. Branches may use the context if branches may
 * use the role.
 */
const ofRole = (ciRole: CiRoleName): Context => ({
  hasRole: true,
  onBranches: branchRoles.includes(ciRole),
});

/** The contexts. Each key is the name of a context without the name of the service. */
export const contexts = {
  preview: ofRole("preview"),
  review: ofRole("review"),
  staging: ofRole("staging"),
  prod: { ...ofRole("prod"), changesProduction: true },
  "review-removal": ofRole("review-removal"),
  "canary-removal": ofRole("canary-removal"),
  notifier: ofRole("notifier"),
  github: { onBranches: true },
  slack: { onBranches: false },
  "slack-review": { onBranches: true },
} satisfies Readonly<Record<CiRoleName, Context>> & Readonly<Record<string, Context>>;

export type ContextName = keyof typeof contexts;

/** A CircleCI project: the service's own project, or the deploy project (docs/trust.md). */
export type Project = "deploy" | "service";

/**
 * What CircleCI must check before a job gets a context. docs/pipeline.md contains the same
 * expressions.
 */
export interface Restriction {
  /** CircleCI projects whose jobs may use the context. */
  readonly projects: readonly Project[];
  /** An expression that must be true when the job starts. */
  readonly expression: string;
  /**
   * Whether the person who caused the job to run must be in the security group of the approvers.
   * This person started the pipeline, gave the last approval, or started the rerun.
   */
  readonly approversOnly: boolean;
}

const notByHand = 'not job.ssh.enabled and not (pipeline.config_source starts-with "api")';
// Anyone who starts a pipeline by hand chooses the branch of the checkout and the branch of the
// configuration separately. `pipeline.git.branch` is only the branch of the checkout.
const ofMain = `pipeline.git.branch == "${mainBranch}" and pipeline.config.ref == "refs/heads/${mainBranch}" and`;

/** Returns the restrictions of a context. An administrator sets these restrictions in CircleCI. */
export function restrictionOf(
  name: ContextName,
  hasDeployProject = deployProject !== undefined,
): Restriction {
  const { changesProduction = false, onBranches }: Context = contexts[name];
  return {
    approversOnly: changesProduction,
    expression: onBranches ? notByHand : `${ofMain} ${notByHand}`,
    projects: hasDeployProject ? projectsOf(name) : ["service"],
  };
}

/**
 * Returns the projects whose jobs may use a context. This function is only for a service with a
 * deploy project.
 */
function projectsOf(name: ContextName): readonly Project[] {
  if (!contexts[name].onBranches) return ["deploy"];
  return name === "preview" ? ["deploy", "service"] : ["service"];
}

/** Returns the full name of a context in CircleCI. */
export const fullName = (context: string): string => `${service}-${context}`;

/** Returns the properties of a context by its full name. Undefined for an unknown name. */
export function contextOf(name: string): Context | undefined {
  return Object.entries<Context>(contexts).find(([context]) => fullName(context) === name)?.[1];
}

/** Whether at least one of these contexts is only for code of main. */
export function isMainOnly(names: readonly ContextName[]): boolean {
  return names.some((name) => !contexts[name].onBranches);
}

/** Whether a job with these contexts assumes an IAM role. */
export function hasRole(names: readonly ContextName[]): boolean {
  return names.some((name) => (contexts[name] as Context).hasRole === true);
}
