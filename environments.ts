import type { ClusterIdentity } from "./components/conventions/eks-user";
import { slug } from "./components/conventions/names";

/** What the stacks of an environment are and may do. */
interface Traits {
  /** Environment whose namespace, names, labels and settings a canary shares. */
  readonly canaryOf?: Environment;
  /** How the cluster knows the stack's jobs: by the AWS role, or by CircleCI's token. */
  readonly clusterIdentity: ClusterIdentity;
  /**
   * `own`: the stack makes a guarded namespace and a database, and deletes them with itself.
   * `given`: both are there before the stack and outlive it; no secret value may be in the state.
   */
  readonly data: "given" | "own";
  /**
   * `built`: the image is built from the code that is here.
   * `promoted`, `chosen`: the stack runs what `npm run promote` or `npm run canary` chose, and
   * keeps it until another one is chosen.
   */
  readonly image: "built" | "chosen" | "promoted";
  /** Whether scheduled jobs run, if a job's entry does not say otherwise. A canary has none. */
  readonly jobs: "none" | "run" | "suspended";
  /** One stack for each branch, `<environment>-<slug>`, that goes when the branch does. */
  readonly perBranch: boolean;
  /** Pulumi refuses to delete or replace what answers requests. */
  readonly protect: boolean;
  /** It runs what was merged into the protected branch. */
  readonly protectedBranch: boolean;
  /** The first start fills the database with examples. */
  readonly seeds: boolean;
  /** Environment whose defaults of settings it takes: its own, or those of a similar one. */
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
    // A review job may change its own branch's namespace, and only CircleCI's token names the
    // branch.
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

/** What a stack is for. Decides its defaults and what it may do. */
export type Environment = keyof typeof rows;

/** The environments that have their own defaults of settings. */
export type OwnDefaults = (typeof rows)[Environment]["settingsOf"];

/** What each environment can do. Components do not read it: they are told by their args. */
export const environments: Readonly<Record<Environment, Traits>> = rows;

export const environmentNames = Object.keys(rows) as readonly Environment[];

/** Name of an environment's stack, with `<slug>` where each branch has one. */
const stackForm = (name: Environment): string => {
  const { canaryOf, perBranch } = environments[name];
  if (perBranch) return `${name}-<slug>`;
  return canaryOf === undefined ? name : `${canaryOf}-${name}`;
};

/** Every name that a stack may have, such as `local, review-<slug>`. */
export const stackForms = environmentNames.map(stackForm).join(", ");

/** Names that a branch's slug must not have: a review stack for them would be ambiguous. */
export const reservedSlugs: readonly string[] = [
  "main",
  "master",
  ...environmentNames.filter((name) => !environments[name].perBranch).map(stackForm),
];

/**
 * Slug of a branch's review stack.
 *
 * @throws Error for `main`, `master` and names of stacks, which no review stack may have.
 */
export function slugOf(branch: string): string {
  if (reservedSlugs.includes(branch)) {
    throw new Error(`branch "${branch}" cannot have a review stack: the name is reserved`);
  }
  return slug(branch);
}

const slugForm = /^[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?$/;

/**
 * Environment and slug of a stack's name, or undefined for a name that no stack has:
 * a typing error must never become an environment.
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

/** What a stack can do; undefined for a name that no stack has. */
export function traitsOf(stack: string): Traits | undefined {
  const parsed = parseStack(stack);
  return parsed && environments[parsed.environment];
}
