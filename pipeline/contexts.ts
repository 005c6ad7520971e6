import { mainBranch } from "../components/conventions/ci-roles";
import { deployProject } from "../config/circleci";
import { service } from "../config/service";

/**
 * What the checks know about a CircleCI context. CircleCI itself restricts who may use it, so a
 * branch cannot change that. docs/pipeline.md has the restrictions and the steps.
 */
export interface Context {
  /** It can change what production's users see: only after an approval. */
  readonly changesProduction?: boolean;
  /**
   * It holds the address of one IAM role (`AWS_ROLE_ARN`, `AWS_REGION`, `PULUMI_BACKEND_URL`).
   * The others hold one secret.
   */
  readonly hasRole?: boolean;
  /** Workflows that run a branch's own code may use it. The others are for main only. */
  readonly onBranches: boolean;
}

/** The contexts, by their names without the name of the service. */
export const contexts = {
  preview: { hasRole: true, onBranches: true },
  review: { hasRole: true, onBranches: true },
  staging: { hasRole: true, onBranches: false },
  prod: { changesProduction: true, hasRole: true, onBranches: false },
  "review-removal": { hasRole: true, onBranches: false },
  "canary-removal": { hasRole: true, onBranches: false },
  github: { onBranches: true },
  slack: { onBranches: true },
} as const satisfies Readonly<Record<string, Context>>;

export type ContextName = keyof typeof contexts;

/** A CircleCI project: the service's own, or the one that docs/trust.md adds to it. */
export type Project = "deploy" | "service";

/** What CircleCI must ask before a job gets a context. docs/pipeline.md has the same texts. */
export interface Restriction {
  /** Only these projects' jobs, by what the project is for. */
  readonly projects: readonly Project[];
  /** An expression that must hold when the job starts. */
  readonly expression: string;
  /** Only jobs whose actor is in the security group of those who may approve. */
  readonly approversOnly: boolean;
}

const notByHand = 'not job.ssh.enabled and not (pipeline.config_source starts-with "api")';
// Anyone who starts a pipeline by hand chooses the branch of the checkout and the branch of the
// configuration separately. `pipeline.git.branch` is only that of the checkout.
const ofMain = `pipeline.git.branch == "${mainBranch}" and pipeline.config.ref == "refs/heads/${mainBranch}" and`;

/** Returns the restrictions of a context. An administrator sets them in CircleCI. */
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

/** Returns the projects whose jobs use a context, if there is a deploy project. */
function projectsOf(name: ContextName): readonly Project[] {
  if (!contexts[name].onBranches) return ["deploy"];
  return name === "preview" || name === "slack" ? ["deploy", "service"] : ["service"];
}

/** Full name of a context in CircleCI. */
export const fullName = (context: string): string => `${service}-${context}`;

/** What is known about a context that a file names. Undefined for a name that is not ours. */
export function contextOf(name: string): Context | undefined {
  return Object.entries<Context>(contexts).find(([context]) => fullName(context) === name)?.[1];
}

/** Whether a job with these contexts has a right that no branch's own code may have. */
export function isMainOnly(names: readonly ContextName[]): boolean {
  return names.some((name) => !contexts[name].onBranches);
}

/** Whether a job with these contexts assumes an IAM role. */
export function hasRole(names: readonly ContextName[]): boolean {
  return names.some((name) => (contexts[name] as Context).hasRole);
}
