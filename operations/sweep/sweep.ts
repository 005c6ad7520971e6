import { UserError } from "../../lib/errors";
import { stopCanary } from "../canary/canary";
import {
  type Production,
  canaryStack,
  connectToProduction,
  runningCanary,
} from "../stacks/running-canary";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { remoteBranches, remoteUrl } from "../clients/git";
import type { Cluster } from "../clients/kubectl";
import { stackNames } from "../pulumi/connect";
import { connectToReviews } from "../review/cluster";
import { removeReview } from "../review/down";
import { withoutRelease } from "../stacks/release";
import { reviewNamespaces } from "../stacks/review-namespace";
import { reviewStates } from "../stacks/review-state";
import { type Canary, type Decision, type Inventory, decide, decideCanary } from "./decisions";

export interface SweepOptions {
  /**
   * Removes every review stack and canary that the sweep has decided to remove. Without this
   * option, the sweep changes nothing.
   */
  readonly apply?: boolean;
  /**
   * Limits the sweep to the canary or to review stacks. A CI job has permissions either for the
   * canary or for review stacks.
   */
  readonly only?: "canary" | "reviews";
}

/**
 * `npm run sweep`: decides for the canary and for each review stack whether the sweep removes the
 * stack, and prints the decisions. With the option `apply`, the sweep then carries out the
 * decisions.
 */
export async function sweep(
  options: SweepOptions,
  given: Workspace = defaultWorkspace,
): Promise<void> {
  // The sweep does not wait for locks: if another command changes the canary, the sweep's decision
  // about the canary is no longer valid.
  const workspace = { ...withoutRelease(given), lockWait: { patienceMs: 0 } };
  const { cluster, production } = await connectToAll(options, workspace);
  const canary = production && (await canaryOf(production, workspace));
  const inventory = {
    ...(await remoteOf(workspace)),
    canary,
    ...(await reviewsIn(cluster, workspace)),
  };
  const decisions = decide(inventory);
  for (const { goes, name, what, why } of decisions) {
    console.log(`${goes ? "goes " : "stays"}  ${what.padEnd(9)}  ${name}: ${why}`);
  }
  const going = decisions.filter(({ goes }) => goes);
  if (going.length === 0) console.log("Nothing to remove.");
  else if (options.apply !== true) {
    console.log('Nothing was changed: "npm run sweep -- --apply" removes what goes.');
  } else await removeAll(going, { cluster, production }, workspace);
}

/**
 * Reads the review stacks: their namespaces in the cluster, and the names and times of their
 * states.
 */
async function reviewsIn(
  cluster: Cluster | undefined,
  workspace: Workspace,
): Promise<Pick<Inventory, "namespaces" | "now" | "states">> {
  const now = new Date();
  if (cluster === undefined) return { namespaces: [], now, states: [] };
  const [namespaces, states] = await Promise.all([
    reviewNamespaces(cluster),
    reviewStates(workspace),
  ]);
  return { namespaces, now, states };
}

async function remoteOf(workspace: Workspace): Promise<Pick<Inventory, "branches" | "remote">> {
  const branches = await remoteBranches(workspace).catch((error: unknown) => {
    console.log(`The Git remote cannot be read: ${error instanceof Error ? error.message : ""}`);
    return undefined;
  });
  return { branches: branches && new Set(branches.keys()), remote: await remoteUrl(workspace) };
}

/**
 * Removes the review stacks and the canary in `going`. If a removal fails, the function continues
 * with the next removal.
 *
 * @throws UserError with the stacks that the function could not remove
 */
async function removeAll(
  going: readonly Decision[],
  { cluster, production }: { cluster: Cluster | undefined; production: Production | undefined },
  workspace: Workspace,
): Promise<void> {
  const failed: string[] = [];
  for (const { name, what } of going) {
    console.log(`\n${name}`);
    try {
      if (what !== "canary") {
        if (cluster !== undefined) await removeReviewStack(name, cluster, workspace);
      } else if (production !== undefined) await removeCanary(production, workspace);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      failed.push(name);
    }
  }
  if (failed.length > 0) {
    throw new UserError(`The sweep could not remove ${failed.join(", ")}: the reasons are above.`);
  }
}

/**
 * Decides again about a review stack, and removes the stack if the decision has not changed. The
 * sweep may need some minutes to remove other stacks before this stack. During this time, a job may
 * have updated or removed the stack.
 */
async function removeReviewStack(
  name: string,
  cluster: Cluster,
  workspace: Workspace,
): Promise<void> {
  const [remote, reviews] = await Promise.all([remoteOf(workspace), reviewsIn(cluster, workspace)]);
  const decisions = decide({ canary: undefined, ...remote, ...reviews });
  const decision = decisions.find((one) => one.what === "stack" && one.name === name);
  if (goesStill(decision)) await removeReview(name, cluster, workspace);
}

async function removeCanary(production: Production, workspace: Workspace): Promise<void> {
  const canary = await canaryOf(production, workspace);
  if (goesStill(canary && decideCanary(canary, new Date())))
    await stopCanary(production, workspace);
}

function goesStill(decision: Decision | undefined): boolean {
  if (decision === undefined) console.log("It is already gone.");
  else if (!decision.goes) console.log(`It stays: ${decision.why}`);
  return decision?.goes === true;
}

/**
 * Connects to everything that the sweep needs, before the sweep changes anything. If the canary's
 * stack does not exist, the sweep does not connect to production. With `only: "reviews"`, the
 * function does not start Pulumi.
 */
async function connectToAll(
  { only }: SweepOptions,
  workspace: Workspace,
): Promise<{ cluster: Cluster | undefined; production: Production | undefined }> {
  const isCanary = only !== "reviews" && (await stackNames(workspace)).includes(canaryStack);
  const [cluster, production] = await Promise.all([
    only === "canary" ? undefined : connectToReviews(workspace),
    isCanary ? connectToProduction(workspace) : undefined,
  ]);
  return { cluster, production };
}

async function canaryOf(production: Production, workspace: Workspace): Promise<Canary | undefined> {
  const canary = await runningCanary(production, workspace);
  return canary && { ...canary, cluster: production.cluster.uid };
}
