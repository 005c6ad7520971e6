/**
 * CircleCI contexts, one per purpose. Each holds the address of one role (`AWS_ROLE_ARN`, `AWS_REGION`, `PULUMI_BACKEND_URL`)
 * or one secret, and is restricted as said here: docs/pipeline.md has the steps.
 */
export interface Context {
  /** What the context's role or secret can do. */
  readonly can: string;
  /** Its restriction in CircleCI, as an expression on pipeline values; checked there, out of a branch's reach. */
  readonly restriction: string;
  /** Workflows that run a branch's own code may use it. */
  readonly onBranches: boolean;
  /** It can change what production's users see: only after an approval. */
  readonly changesProduction: boolean;
}

/** Nobody who opens a shell in a job (rerun with SSH) and no configuration sent through the API gets a context. */
const asCommitted = 'not job.ssh.enabled and not (pipeline.config_source starts-with "api")';
const onMain = `pipeline.git.branch == "main" and ${asCommitted}`;

export const contexts = {
  "services-orders-preview": {
    can: "read the cluster, the images, and the state of staging and production, which holds no secret",
    restriction: asCommitted,
    onBranches: true,
    changesProduction: false,
  },
  "services-orders-review": {
    can: "push images of branches; change review stacks",
    restriction: asCommitted,
    onBranches: true,
    changesProduction: false,
  },
  "services-orders-staging": {
    can: "push main's images and release tags; change stack staging",
    restriction: onMain,
    onBranches: false,
    changesProduction: false,
  },
  "services-orders-prod": {
    can: "change stacks prod and prod-canary; read what a review stack runs",
    restriction: `${onMain}, and a security group of those who may approve`,
    onBranches: false,
    changesProduction: true,
  },
  "services-orders-review-removal": {
    can: "remove review stacks: change their state, push nothing",
    restriction: onMain,
    onBranches: false,
    changesProduction: false,
  },
  "services-orders-canary-removal": {
    can: "remove the canary, and nothing else",
    restriction: onMain,
    onBranches: false,
    changesProduction: false,
  },
  "services-orders-github": {
    can: "read pull requests and write their comments",
    restriction: asCommitted,
    onBranches: true,
    changesProduction: false,
  },
  "services-orders-slack": {
    can: "post to one Slack channel",
    restriction: asCommitted,
    onBranches: true,
    changesProduction: false,
  },
} as const satisfies Readonly<Record<string, Context>>;

export type ContextName = keyof typeof contexts;

/** What is known about a context that a file names; undefined for a name that is none of ours. */
export function contextOf(name: string): Context | undefined {
  return Object.hasOwn(contexts, name) ? contexts[name as ContextName] : undefined;
}
