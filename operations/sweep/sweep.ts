import { reviewAccess } from "../../components/conventions/ci-roles";
import { service } from "../../config/service";
import { parseStack } from "../../environments";
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
import { type Cluster, type Pod, list } from "../clients/kubectl";
import { connect, stackNames } from "../pulumi/connect";
import { isOurs, removeReview } from "../review/down";
import { withoutRelease } from "../stacks/release";
import { type ReviewStack, expiryOf, readIfThere, reviewStacks } from "../stacks/review-stack";
import { settingsOf } from "../pulumi/settings";
import {
  type Canary,
  type Decision,
  type Inventory,
  type Namespace,
  type Stack,
  decide,
  decideCanary,
  decideStack,
} from "./decisions";

/** Name of a possible review stack. The name is used to find the cluster of all review stacks. */
const anyReview = "review-sweep";

export interface SweepOptions {
  /**
   * Removes every review stack and canary that the sweep has decided to remove. Without this
   * option, nothing is changed.
   */
  readonly apply?: boolean;
  /**
   * Limits the sweep to the canary or to review stacks, for CI jobs that have the rights for only
   * one of the two.
   */
  readonly only?: "canary" | "reviews";
}

/**
 * `npm run sweep`: decides about review stacks, their namespaces and the canary, and prints each
 * decision.
 */
export async function sweep(
  options: SweepOptions,
  given: Workspace = defaultWorkspace,
): Promise<void> {
  // The sweep does not wait for locks. If another command is changing a stack, the decision about
  // that stack is out of date.
  const workspace = { ...withoutRelease(given), lockWait: { patienceMs: 0 } };
  const { cluster, production } = await connectToAll(options, workspace);
  const canary = production && (await canaryOf(production, workspace));
  const inventory = {
    ...(await remoteOf(workspace)),
    canary,
    cluster: cluster?.uid ?? "",
    namespaces: cluster ? await namespacesIn(cluster) : [],
    now: new Date(),
    stacks: cluster ? (await reviewStacks(workspace)).map(factsOf) : [],
  };
  const decisions = decide(inventory);
  for (const { goes, name, what, why } of decisions) {
    console.log(`${goes ? "goes " : "stays"}  ${what.padEnd(9)}  ${name}: ${why}`);
  }
  const going = decisions.filter(({ goes }) => goes);
  if (going.length === 0) console.log("Nothing to remove.");
  else if (options.apply !== true) {
    console.log('Nothing was changed: "npm run sweep -- --apply" removes what goes.');
  } else await removeAll(going, inventory, { cluster, production }, workspace);
}

const factsOf = (stack: ReviewStack): Stack => ({ ...stack, expires: expiryOf(stack) });

async function remoteOf(workspace: Workspace): Promise<Pick<Inventory, "branches" | "remote">> {
  const branches = await remoteBranches(workspace).catch((error: unknown) => {
    console.log(`The remote cannot be asked: ${error instanceof Error ? error.message : ""}`);
    return undefined;
  });
  return { branches: branches && new Set(branches.keys()), remote: await remoteUrl(workspace) };
}

/**
 * Removes each review stack and canary that `going` lists. If a removal fails, the function
 * continues with the next stack.
 *
 * @throws UserError that names the stacks that could not be removed
 */
async function removeAll(
  going: readonly Decision[],
  inventory: Inventory,
  { cluster, production }: { cluster: Cluster | undefined; production: Production | undefined },
  workspace: Workspace,
): Promise<void> {
  const failed: string[] = [];
  for (const { name, what } of going) {
    console.log(`\n${name}`);
    try {
      if (what !== "canary") {
        if (cluster !== undefined) await removeReviewStack(name, inventory, cluster, workspace);
      } else if (production !== undefined) await removeCanary(production, workspace);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      failed.push(name);
    }
  }
  if (failed.length > 0) {
    throw new UserError(`Could not be removed: ${failed.join(", ")}; the reasons are above.`);
  }
}

/**
 * Decides again about a review stack, and removes the stack if the decision has not changed. The
 * removal of earlier stacks takes minutes, and the stack may have been updated or removed since the
 * first decision.
 */
async function removeReviewStack(
  name: string,
  inventory: Inventory,
  cluster: Cluster,
  workspace: Workspace,
): Promise<void> {
  const [review, remote] = await Promise.all([readIfThere(name, workspace), remoteOf(workspace)]);
  const now = { ...inventory, ...remote, now: new Date() };
  if (!goesStill(review && decideStack(factsOf(review), now))) return;
  if (review !== undefined) await removeReview(review, true, cluster, workspace);
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
 * stack does not exist, the sweep does not connect to production.
 */
async function connectToAll(
  { only }: SweepOptions,
  workspace: Workspace,
): Promise<{ cluster: Cluster | undefined; production: Production | undefined }> {
  const stacks = await stackNames(workspace);
  const isCanary = only !== "reviews" && stacks.includes(canaryStack);
  const [cluster, production] = await Promise.all([
    only === "canary" ? undefined : clusterOfReviews(workspace),
    isCanary ? connectToProduction(workspace) : undefined,
  ]);
  return { cluster, production };
}

async function clusterOfReviews(workspace: Workspace): Promise<Cluster> {
  return (await connect(await settingsOf(anyReview, workspace), workspace)).cluster;
}

async function canaryOf(production: Production, workspace: Workspace): Promise<Canary | undefined> {
  const canary = await runningCanary(production, workspace);
  return canary && { ...canary, cluster: production.cluster.uid };
}

/** Namespaces whose names have the prefix of review stacks. */
async function namespacesIn(cluster: Cluster): Promise<readonly Namespace[]> {
  const all = await list<Pick<Pod, "metadata">>(cluster, "namespaces", []);
  return all
    .map(({ metadata }) => metadata)
    .filter(({ name }) => name.startsWith(reviewAccess.namespacePrefix))
    .map(({ labels = {}, name }) => {
      const slug = parseStack(name.slice(service.length + 1))?.slug;
      return { name, ours: slug !== undefined && isOurs(labels, slug) };
    });
}
