import { reviewAccess } from "../../components/conventions/ci-roles";
import { service } from "../../config/service";
import { parseStack } from "../../environments";
import { UserError } from "../../lib/errors";
import { stopCanary } from "../canary/canary";
import {
  type Production,
  canaryStack,
  reachProduction,
  runningCanary,
} from "../stacks/running-canary";
import { type Engine, ambient } from "../pulumi/engine";
import { remoteBranches, remoteUrl } from "../clients/git";
import { type Cluster, reach, reachState } from "../pulumi/reach";
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

/** Name of any review stack: all of them live in one cluster. */
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
export async function sweep(options: SweepOptions, given: Engine = ambient): Promise<void> {
  // Does not remove a stack that someone is changing: the decision about it is out of date.
  const engine = { ...withoutRelease(given), lockWait: { patienceMs: 0 } };
  const { production, reviewCluster } = await reachAll(options, engine);
  const reviews = reviewCluster && (await reviewsOf(reviewCluster, engine));
  const canary = production && (await canaryOf(production, engine));
  const inventory = {
    ...(await remoteOf(engine)),
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
  } else await removeAll(going, inventory, { cluster: reviews?.cluster, production }, engine);
}

const factsOf = (stack: ReviewStack): Stack => ({ ...stack, expires: expiryOf(stack) });

async function remoteOf(engine: Engine): Promise<Pick<Inventory, "branches" | "remote">> {
  const branches = await remoteBranches(engine).catch((error: unknown) => {
    console.log(`The remote cannot be asked: ${error instanceof Error ? error.message : ""}`);
    return undefined;
  });
  return { branches: branches && new Set(branches.keys()), remote: await remoteUrl(engine) };
}

/** If one cannot be removed, the others are still removed. */
async function removeAll(
  going: readonly Decision[],
  inventory: Inventory,
  { cluster, production }: { cluster: Cluster | undefined; production: Production | undefined },
  engine: Engine,
): Promise<void> {
  const failed: string[] = [];
  for (const { name, what } of going) {
    console.log(`\n${name}`);
    try {
      if (what !== "canary") {
        if (cluster !== undefined) await removeReviewStack(name, inventory, cluster, engine);
      } else if (production !== undefined) await removeCanary(production, engine);
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
  engine: Engine,
): Promise<void> {
  const [review, remote] = await Promise.all([readIfThere(name, engine), remoteOf(engine)]);
  if (review === undefined) {
    console.log("It is already gone.");
    return;
  }
  const now = { ...inventory, ...remote, now: new Date() };
  const { goes, why } = decideStack(factsOf(review), now);
  if (goes) await removeReview(review, true, cluster, engine);
  else console.log(`It stays after all: ${why}`);
}

async function removeCanary(production: Production, engine: Engine): Promise<void> {
  const canary = await canaryOf(production, engine);
  if (canary === undefined) {
    console.log("It is already gone.");
    return;
  }
  const { goes, why } = decideCanary(canary, new Date());
  if (goes) await stopCanary(production, engine);
  else console.log(`It stays after all: ${why}`);
}

/**
 * Checks everything that the sweep will need, before it begins. Without its stack there is no
 * canary.
 */
async function reachAll(
  { only }: SweepOptions,
  engine: Engine,
): Promise<{ readonly production?: Production; readonly reviewCluster?: Cluster }> {
  const stacks = await reachState(engine);
  const [review, production] = await Promise.all([
    only === "canary"
      ? undefined
      : settingsOf(anyReview, engine).then(async (its) => reach(its, engine)),
    only === "reviews" || !stacks.includes(canaryStack) ? undefined : reachProduction(engine),
  ]);
  return {
    ...(production === undefined ? {} : { production }),
    ...(review === undefined ? {} : { reviewCluster: review.cluster }),
  };
}

async function canaryOf(production: Production, engine: Engine): Promise<Canary | undefined> {
  const canary = await runningCanary(production, engine);
  return canary && { ...canary, cluster: production.cluster.uid };
}

async function reviewsOf(cluster: Cluster, engine: Engine): Promise<Reviews> {
  const list = await cluster.kubectl(["get", "namespaces", "--output", "json"], 30_000);
  const { items } = JSON.parse(list) as {
    items: { metadata: { labels?: Record<string, string>; name: string } }[];
  };
  const namespaces = items
    .map(({ metadata }) => metadata)
    .filter(({ name }) => name.startsWith(reviewAccess.namespacePrefix))
    .map(({ labels = {}, name }) => {
      const slug = parseStack(name.slice(service.length + 1))?.slug;
      return { name, ours: slug !== undefined && isOurs(labels, slug) };
    });
  return { cluster, namespaces, stacks: await reviewStacks(engine) };
}
