import { parseStack, service } from "../components/conventions/stacks";
import { UserError } from "../tools/progress";
import { canaryTags, runningCanary, stopCanary } from "./canary";
import { type Engine, ambient } from "./engine";
import { remoteBranches, remoteUrl } from "./git";
import { type Cluster, reach, reachState } from "./reach";
import { isOurs, removeReview, withoutRelease } from "./review-down";
import { type ReviewStack, expiryOf, readIfThere, reviewStacks } from "./review-stack";
import { settingsOf } from "./settings";
import { outputsOf, tagsOf } from "./stacks";
import {
  type Canary,
  type Decision,
  type Inventory,
  type Namespace,
  type Stack,
  decide,
  decideCanary,
  decideStack,
} from "./sweep-decisions";

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
  // A stack that somebody is changing is none to remove: what was decided about it is old by then.
  const engine = { ...withoutRelease(given), lockWait: { patienceMs: 0 } };
  await reachState(engine);
  const reviews = options.only === "canary" ? undefined : await reviewsOf(engine);
  const canary = options.only === "reviews" ? undefined : await canaryOf(engine);
  const inventory = {
    ...(await remoteOf(engine)),
    canary: canary?.facts,
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
  if (going.length === 0) console.log("Nothing goes.");
  else if (options.apply !== true) {
    console.log('Nothing was changed: "npm run sweep -- --apply" removes what goes.');
  } else await removeAll(going, inventory, reviews?.cluster, engine);
}

const factsOf = (stack: ReviewStack): Stack => ({ ...stack, expires: expiryOf(stack) });

async function remoteOf(engine: Engine): Promise<Pick<Inventory, "branches" | "remote">> {
  const branches = await remoteBranches(engine).catch((error: unknown) => {
    console.log(`The remote cannot be asked: ${error instanceof Error ? error.message : ""}`);
    return undefined;
  });
  return { branches: branches && new Set(branches.keys()), remote: await remoteUrl(engine) };
}

/** One that cannot be removed does not keep the others. */
async function removeAll(
  going: readonly Decision[],
  inventory: Inventory,
  cluster: Cluster | undefined,
  engine: Engine,
): Promise<void> {
  const failed: string[] = [];
  for (const { name, what } of going) {
    console.log(`\n${name}`);
    try {
      if (what === "canary") await removeCanary(engine);
      else if (cluster !== undefined) await removeReviewStack(name, inventory, cluster, engine);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      failed.push(name);
    }
  }
  if (failed.length > 0) {
    throw new UserError(`Could not be removed: ${failed.join(", ")}; the reasons are above.`);
  }
}

/** It is looked at once more: removing the ones before takes minutes, in which it may have been updated or removed. */
async function removeReviewStack(
  name: string,
  inventory: Inventory,
  cluster: Cluster,
  engine: Engine,
): Promise<void> {
  const [review, remote] = await Promise.all([readIfThere(name, engine), remoteOf(engine)]);
  if (review === undefined) {
    console.log("It has gone meanwhile.");
    return;
  }
  const now = { ...inventory, ...remote, now: new Date() };
  const { goes, why } = decideStack(factsOf(review), now);
  if (goes) await removeReview(review, true, cluster, engine);
  else console.log(`It stays after all: ${why}`);
}

async function removeCanary(engine: Engine): Promise<void> {
  const canary = await canaryOf(engine);
  if (canary === undefined) {
    console.log("It has gone meanwhile.");
    return;
  }
  const { goes, why } = decideCanary(canary.facts, new Date());
  if (goes) await stopCanary(canary.cluster, engine);
  else console.log(`It stays after all: ${why}`);
}

async function canaryOf(
  engine: Engine,
): Promise<{ readonly cluster: Cluster; readonly facts: Canary } | undefined> {
  const branch = await runningCanary(engine);
  if (branch === undefined) return undefined;
  const { cluster } = await reach(await settingsOf("prod-canary", engine), engine);
  const tags = await tagsOf("prod-canary", engine);
  const expires = new Date(tags[canaryTags.expires] ?? "");
  const { clusterUid = tags[canaryTags.cluster] } = await outputsOf("prod-canary", engine);
  return {
    cluster,
    facts: {
      branch,
      cluster: cluster.uid,
      clusterUid,
      expires: Number.isNaN(expires.getTime()) ? undefined : expires,
    },
  };
}

async function reviewsOf(engine: Engine): Promise<Reviews> {
  const { cluster } = await reach(await settingsOf(anyReview, engine), engine);
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
