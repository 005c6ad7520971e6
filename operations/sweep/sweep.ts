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

/** Name of any review stack: all of them are in one cluster. */
const anyReview = "review-sweep";

export interface SweepOptions {
  /** Removes what has expired. Without it, nothing is changed. */
  readonly apply?: boolean;
  /** For jobs that only have the rights of one kind. */
  readonly only?: "canary" | "reviews";
}

/** `npm run sweep`: lists review stacks, their namespaces and the canary, with each decision. */
export async function sweep(
  options: SweepOptions,
  given: Workspace = defaultWorkspace,
): Promise<void> {
  // Does not remove a stack that someone is changing: the decision about it is out of date.
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

/** If one cannot be removed, the others are still removed. */
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
 * Decides about it again: removing the stacks before it takes minutes, in which it may have been
 * updated or removed.
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
 * Checks everything that the sweep will need, before it begins. Without its stack there is no
 * canary.
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

/** Namespaces with the name of a review stack's namespace. */
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
