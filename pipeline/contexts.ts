import { service } from "../config/service";

/**
 * CircleCI contexts, one per purpose. Each holds the address of one role (`AWS_ROLE_ARN`,
 * `AWS_REGION`, `PULUMI_BACKEND_URL`) or one secret, and has the restriction given here:
 * docs/pipeline.md has the steps.
 */
export interface Context {
  /** What the context's role or secret can do. */
  readonly can: string;
  /**
   * Its restriction in CircleCI, an expression on pipeline values. CircleCI checks it, so a branch
   * cannot change it.
   */
  readonly restriction: string;
  /** Workflows that run a branch's own code may use it. */
  readonly onBranches: boolean;
  /** It can change what production's users see: only after an approval. */
  readonly changesProduction: boolean;
}

/** Jobs that are rerun with SSH, and configuration sent through the API, get no context. */
const asCommitted = 'not job.ssh.enabled and not (pipeline.config_source starts-with "api")';
const onMain = `pipeline.git.branch == "main" and ${asCommitted}`;

/** By purpose. */
export const contexts = {
  preview: {
    can: "read the cluster, the images, and the state of staging and production, which holds no secret",
    restriction: asCommitted,
    onBranches: true,
    changesProduction: false,
  },
  review: {
    can: "push images of branches; change review stacks",
    restriction: asCommitted,
    onBranches: true,
    changesProduction: false,
  },
  staging: {
    can: "push main's images and release tags; change stack staging",
    restriction: onMain,
    onBranches: false,
    changesProduction: false,
  },
  prod: {
    can: "change stacks prod and prod-canary; read what a review stack runs",
    restriction: `${onMain}, and a security group of those who may approve`,
    onBranches: false,
    changesProduction: true,
  },
  "review-removal": {
    can: "remove review stacks: change their state, push nothing",
    restriction: onMain,
    onBranches: false,
    changesProduction: false,
  },
  "canary-removal": {
    can: "remove the canary, and nothing else",
    restriction: onMain,
    onBranches: false,
    changesProduction: false,
  },
  github: {
    can: "read pull requests and write their comments",
    restriction: asCommitted,
    onBranches: true,
    changesProduction: false,
  },
  slack: {
    can: "post to one Slack channel",
    restriction: asCommitted,
    onBranches: true,
    changesProduction: false,
  },
} as const satisfies Readonly<Record<string, Context>>;

export type ContextPurpose = keyof typeof contexts;

/** Name of the context of a purpose in CircleCI. */
export const contextName = (purpose: string): string => `${service}-${purpose}`;

/** What is known about a context that a file names; undefined for a name that is not ours. */
export function contextOf(name: string): Context | undefined {
  const known = Object.entries<Context>(contexts);
  return known.find(([purpose]) => contextName(purpose) === name)?.[1];
}
