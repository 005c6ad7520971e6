import { parseStack, service } from "../components/conventions/stacks";
import { UserError } from "../tools/progress";
import { stopCanary } from "./canary";
import { type Production, canaryStack, reachProduction, runningCanary } from "./canary-running";
import { type Engine, ambient } from "./engine";
import { remoteBranches } from "./git";
import { type Cluster, reach, reachState } from "./reach";
import { isOurs, removeReview, withoutRelease } from "./review-down";
import { type ReviewStack, expiryOf, reviewStacks } from "./review-stack";
import { settingsOf } from "./settings";
import { type Canary, type Namespace, decide } from "./sweep-decisions";

/** Any review stack's: all of them live in one cluster. */
const anyReview = "review-sweep";

export interface SweepOptions {
  /** Removes what goes; without it nothing is changed. */
  readonly apply?: boolean;
  /** Where review stacks and production need different rights. */
  readonly only?: "canary" | "reviews";
}

/** What is there of one kind, and the cluster it is in. */
interface Reviews {
  readonly cluster: Cluster;
  readonly namespaces: readonly Namespace[];
  readonly stacks: readonly ReviewStack[];
}

/** `npm run sweep`: says for each review stack, their namespaces and the canary why it stays or goes. */
export async function sweep(options: SweepOptions, given: Engine = ambient): Promise<void> {
  const engine = withoutRelease(given);
  const { production, reviewCluster } = await reachAll(options, engine);
  const reviews = reviewCluster && (await reviewsOf(reviewCluster, engine));
  const canary = production && (await canaryOf(production, engine));
  const branches = await remoteBranches(engine).catch((error: unknown) => {
    console.log(`The remote cannot be asked: ${error instanceof Error ? error.message : ""}`);
    return undefined;
  });
  const decisions = decide({
    branches: branches && new Set(branches.keys()),
    canary,
    cluster: reviews?.cluster.uid ?? "",
    namespaces: reviews?.namespaces ?? [],
    now: new Date(),
    stacks: (reviews?.stacks ?? []).map((stack) => ({ ...stack, expires: expiryOf(stack) })),
  });
  for (const { goes, name, what, why } of decisions) {
    console.log(`${goes ? "goes " : "stays"}  ${what.padEnd(9)}  ${name}: ${why}`);
  }
  const going = decisions.filter(({ goes }) => goes).map(({ name }) => name);
  if (going.length === 0) console.log("Nothing goes.");
  else if (options.apply !== true) {
    console.log('Nothing was changed: "npm run sweep -- --apply" removes what goes.');
  } else await removeAll(going, reviews, production, engine);
}

/** One that cannot be removed does not keep the others. */
async function removeAll(
  going: readonly string[],
  reviews: Reviews | undefined,
  production: Production | undefined,
  engine: Engine,
): Promise<void> {
  const failed: string[] = [];
  for (const name of going) {
    console.log(`\n${name}`);
    const review = reviews?.stacks.find((stack) => stack.name === name);
    try {
      if (review !== undefined && reviews !== undefined) {
        await removeReview(review, true, reviews.cluster, engine);
      } else if (production !== undefined) await stopCanary(production, engine);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      failed.push(name);
    }
  }
  if (failed.length > 0) {
    throw new UserError(`Could not be removed: ${failed.join(", ")}; the reasons are above.`);
  }
}

/** Asks everything that the sweep will need, before it begins. Without a stack of its own there is no canary. */
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
    .filter(({ name }) => name.startsWith(`${service}-review-`))
    .map(({ labels = {}, name }) => {
      const slug = parseStack(name.slice(service.length + 1))?.slug;
      return { name, ours: slug !== undefined && isOurs(labels, slug) };
    });
  return { cluster, namespaces, stacks: await reviewStacks(engine) };
}
