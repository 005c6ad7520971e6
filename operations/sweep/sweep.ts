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
import { isOurs, removeReview, withoutRelease } from "../review/down";
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

/** The review stacks and namespaces that exist, and their cluster. */
interface Reviews {
  readonly cluster: Cluster;
  readonly namespaces: readonly Namespace[];
  readonly stacks: readonly ReviewStack[];
}

/** `npm run sweep`: lists review stacks, their namespaces and the canary, with each decision. */
export async function sweep(
  options: SweepOptions,
  given: Workspace = defaultWorkspace,
): Promise<void> {
  // Does not remove a stack that someone is changing: the decision about it is out of date.
  const workspace = { ...withoutRelease(given), lockWait: { patienceMs: 0 } };
  const { production, reviewCluster } = await connectToAll(options, workspace);
  const reviews = reviewCluster && (await reviewsOf(reviewCluster, workspace));
  const canary = production && (await canaryOf(production, workspace));
  const inventory = {
    ...(await remoteOf(workspace)),
    canary,
    cluster: reviews?.cluster.uid ?? "",
    namespaces: reviews?.namespaces ?? [],
    now: new Date(),
    stacks: (reviews?.stacks ?? []).map(factsOf),
  };
  const decisions = decide(inventory);
  for (const { goes, name, what, why } of decisions) {
    console.log(`${goes ? "goes " : "stays"}  ${what.padEnd(9)}  ${name}: ${why}`);
  }
  const going = decisions.filter(({ goes }) => goes);
  if (going.length === 0) console.log("Nothing to remove.");
  else if (options.apply !== true) {
    console.log('Nothing was changed: "npm run sweep -- --apply" removes what goes.');
  } else await removeAll(going, inventory, { cluster: reviews?.cluster, production }, workspace);
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
 * Checks it again: removing the stacks before it takes minutes, in which it may have been updated
 * or removed.
 */
async function removeReviewStack(
  name: string,
  inventory: Inventory,
  cluster: Cluster,
  workspace: Workspace,
): Promise<void> {
  const [review, remote] = await Promise.all([readIfThere(name, workspace), remoteOf(workspace)]);
  if (review === undefined) {
    console.log("It is already gone.");
    return;
  }
  const now = { ...inventory, ...remote, now: new Date() };
  const { goes, why } = decideStack(factsOf(review), now);
  if (goes) await removeReview(review, true, cluster, workspace);
  else console.log(`It stays after all: ${why}`);
}

async function removeCanary(production: Production, workspace: Workspace): Promise<void> {
  const canary = await canaryOf(production, workspace);
  if (canary === undefined) {
    console.log("It is already gone.");
    return;
  }
  const { goes, why } = decideCanary(canary, new Date());
  if (goes) await stopCanary(production, workspace);
  else console.log(`It stays after all: ${why}`);
}

/**
 * Checks everything that the sweep will need, before it begins. Without its stack there is no
 * canary.
 */
async function connectToAll(
  { only }: SweepOptions,
  workspace: Workspace,
): Promise<{ readonly production?: Production; readonly reviewCluster?: Cluster }> {
  const stacks = await stackNames(workspace);
  const [review, production] = await Promise.all([
    only === "canary"
      ? undefined
      : settingsOf(anyReview, workspace).then(async (its) => connect(its, workspace)),
    only === "reviews" || !stacks.includes(canaryStack)
      ? undefined
      : connectToProduction(workspace),
  ]);
  return {
    ...(production === undefined ? {} : { production }),
    ...(review === undefined ? {} : { reviewCluster: review.cluster }),
  };
}

async function canaryOf(production: Production, workspace: Workspace): Promise<Canary | undefined> {
  const canary = await runningCanary(production, workspace);
  return canary && { ...canary, cluster: production.cluster.uid };
}

async function reviewsOf(cluster: Cluster, workspace: Workspace): Promise<Reviews> {
  const all = await list<Pick<Pod, "metadata">>(cluster, "namespaces", []);
  const namespaces = all
    .map(({ metadata }) => metadata)
    .filter(({ name }) => name.startsWith(reviewAccess.namespacePrefix))
    .map(({ labels = {}, name }) => {
      const slug = parseStack(name.slice(service.length + 1))?.slug;
      return { name, ours: slug !== undefined && isOurs(labels, slug) };
    });
  return { cluster, namespaces, stacks: await reviewStacks(workspace) };
}
