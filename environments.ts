import type { ClusterIdentity } from "./components/conventions/eks-user";
import { slug } from "./components/conventions/names";

/** Properties of an environment's stacks. */
interface Traits {
  /**
   * For a canary: the environment whose namespace, names, labels and stack settings file the canary
   * uses.
   */
  readonly canaryOf?: Environment;
  /**
   * How the stack's CI jobs authenticate to the cluster: with an IAM role, or with CircleCI's
   * token.
   */
  readonly clusterIdentity: ClusterIdentity;
  /**
   * `own`: the stack creates a namespace with guardrails, and also a database. `pulumi destroy`
   * deletes both. `given`: the namespace and the database already exist before the first deploy,
   * and stay if someone destroys the stack. The Pulumi state of such a stack must not contain a
   * secret.
   */
  readonly data: "given" | "own";
  /**
   * `built`: Pulumi builds the image from the working directory.
   * `promoted`: `npm run promote` chooses the image for the next deploy. Without a new choice, the
   * stack keeps its image.
   * `chosen`: `npm run canary -- start` chooses the image.
   */
  readonly image: "built" | "chosen" | "promoted";
  /**
   * Whether scheduled jobs run by default. In jobs.ts, `suspend` overrides the default for one job.
   * A stack with `none` has no jobs.
   */
  readonly jobs: "none" | "run" | "suspended";
  /**
   * Whether each branch has its own stack, `<environment>-<slug>`. A CI job removes the stack after
   * someone merges or closes the branch's pull request, or deletes the branch.
   */
  readonly perBranch: boolean;
  /** Whether Pulumi refuses to delete or replace the resources that serve requests. */
  readonly protect: boolean;
  /** Whether the stack runs only code of the protected branch. */
  readonly protectedBranch: boolean;
  /** Whether the service's first pod inserts example data into the empty database. */
  readonly seeds: boolean;
  /** Environment whose default settings the stack uses. */
  readonly settingsOf: OwnDefaults;
}

const rows = {
  local: {
    clusterIdentity: "aws",
    data: "own",
    image: "built",
    jobs: "suspended",
    perBranch: false,
    protect: false,
    protectedBranch: false,
    seeds: false,
    settingsOf: "local",
  },
  review: {
    // A review job may change only the namespace of its branch. So the cluster needs the name of
    // the branch, and only CircleCI's token contains this name.
    clusterIdentity: "circleci-token",
    data: "own",
    image: "built",
    jobs: "suspended",
    perBranch: true,
    protect: false,
    protectedBranch: false,
    seeds: true,
    settingsOf: "review",
  },
  staging: {
    clusterIdentity: "aws",
    data: "given",
    image: "built",
    jobs: "run",
    perBranch: false,
    protect: false,
    protectedBranch: true,
    seeds: false,
    settingsOf: "staging",
  },
  prod: {
    clusterIdentity: "aws",
    data: "given",
    image: "promoted",
    jobs: "run",
    perBranch: false,
    protect: true,
    protectedBranch: true,
    seeds: false,
    settingsOf: "prod",
  },
  canary: {
    canaryOf: "prod",
    clusterIdentity: "aws",
    data: "given",
    image: "chosen",
    jobs: "none",
    perBranch: false,
    protect: false,
    protectedBranch: false,
    seeds: false,
    settingsOf: "canary",
  },
} as const;

/**
 * The kind of a stack. The environment determines the stack's defaults and what the stack may do.
 */
export type Environment = keyof typeof rows;

/** The environments that have their own default settings. */
export type OwnDefaults = (typeof rows)[Environment]["settingsOf"];

/**
 * Properties of each environment. Components do not read these properties: they read only their
 * args.
 */
export const environments: Readonly<Record<Environment, Traits>> = rows;

export const environmentNames = Object.keys(rows) as readonly Environment[];

/** Name of one of the {@link ciEnvironments}. */
export type CiEnvironment = {
  readonly [Name in Environment]: (typeof rows)[Name] extends
    { readonly perBranch: true } | { readonly protectedBranch: true }
    ? Name
    : never;
}[Environment];

/** Name of an environment that has scheduled jobs. */
export type JobEnvironment = {
  readonly [Name in Environment]: (typeof rows)[Name]["jobs"] extends "none" ? never : Name;
}[Environment];

/**
 * Environments that have their own CI roles. The platform project gives these environments IAM
 * roles, and permissions in a cluster. CI deploys a canary with the IAM role of `prod`.
 */
export const ciEnvironments = environmentNames.filter(
  (name): name is CiEnvironment =>
    environments[name].perBranch || environments[name].protectedBranch,
);

/** Returns the name of an environment's stack, with `<slug>` if each branch has a stack. */
const stackForm = (name: Environment): string => {
  const { canaryOf, perBranch } = environments[name];
  if (perBranch) return `${name}-<slug>`;
  return canaryOf === undefined ? name : `${canaryOf}-${name}`;
};

/** Forms of all stack names, in one text, such as `local, review-<slug>`. */
export const stackForms = environmentNames.map(stackForm).join(", ");

/**
 * Slugs that no review stack may have, because someone could confuse the review stack with main or
 * with another stack.
 */
export const reservedSlugs: readonly string[] = [
  "main",
  "master",
  ...environmentNames.filter((name) => !environments[name].perBranch).map(stackForm),
];

/**
 * Returns the slug of a branch's review stack.
 *
 * @throws Error if the branch's name is one of the {@link reservedSlugs}
 */
export function slugOf(branch: string): string {
  if (reservedSlugs.includes(branch)) {
    throw new Error(`branch "${branch}" cannot have a review stack: the name is reserved`);
  }
  return slug(branch);
}

const slugForm = /^[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?$/;

/**
 * Returns the environment and the slug of a stack. Undefined for a name that no stack may have,
 * such as a misspelled name.
 */
export function parseStack(
  stack: string,
): { readonly environment: Environment; readonly slug: string } | undefined {
  for (const environment of environmentNames) {
    const { canaryOf, perBranch } = environments[environment];
    if (stackForm(environment) === stack && !perBranch) {
      return { environment, slug: canaryOf ?? environment };
    }
    const slug = stack.slice(environment.length + 1);
    if (!perBranch || stack !== `${environment}-${slug}`) continue;
    if (slugForm.test(slug) && !reservedSlugs.includes(slug)) return { environment, slug };
  }
  return undefined;
}

/** Returns the properties of a stack. Undefined for a name that no stack may have. */
export function traitsOf(stack: string): Traits | undefined {
  const parsed = parseStack(stack);
  return parsed && environments[parsed.environment];
}
