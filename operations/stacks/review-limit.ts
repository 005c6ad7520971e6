import { company } from "../../config/company";
import { UserError } from "../../lib/errors";
import type { Cluster } from "../clients/kubectl";
import { type Workspace, variables } from "../pulumi/run-pulumi";
import { namespaceOfStack, reviewNamespaces } from "./review-namespace";

/**
 * Largest number of review stacks that the cluster may have. The environment variable
 * REVIEW_STACKS_MAX overrides the number in the company's configuration.
 */
export function mostStacks(workspace: Workspace): number {
  const given = Number(variables(workspace)["REVIEW_STACKS_MAX"] ?? "");
  return Number.isInteger(given) && given > 0 ? given : company.reviewStacks.max;
}

/**
 * If the cluster already has the largest allowed number of review stacks, returns a text that says
 * why the deploy of a new review stack fails, and what to do. Only stacks with a namespace count.
 * So a pull request without a deploy does not count, even if a job has built its image.
 *
 * @returns undefined if the number of review stacks is below the limit, or if the stack already has
 * its namespace
 */
export async function limitReached(
  stack: string,
  cluster: Pick<Cluster, "kubectl">,
  workspace: Workspace,
): Promise<string | undefined> {
  const there = (await reviewNamespaces(cluster)).filter(({ isOurs }) => isOurs);
  const most = mostStacks(workspace);
  const isThere = there.some(({ name }) => name === namespaceOfStack(stack));
  if (isThere || there.length < most) return undefined;
  return (
    `Review stack limit reached (${String(there.length)} of ${String(most)}). ` +
    'Remove one ("npm run review -- list" lists them), or run "npm run sweep -- --apply", which removes the expired stacks.'
  );
}

/** @throws UserError if a new namespace for the stack would exceed the limit of review stacks */
export async function assertBelowLimit(
  stack: string,
  cluster: Pick<Cluster, "kubectl">,
  workspace: Workspace,
): Promise<void> {
  const reached = await limitReached(stack, cluster, workspace);
  if (reached !== undefined) throw new UserError(`${reached} Nothing was changed.`);
}
