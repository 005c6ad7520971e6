import type { Settings } from "../settings";
import { trackSelector } from "../components/conventions/labels";
import { UserError } from "../tools/progress";
import { canaryRefusals } from "./canary-refusals";
import { canaryShare, percent, shareFault, shown } from "./canary-share";
import { confirm } from "./confirm";
import { type Target, aim, refuse, update } from "./deploy";
import { type Engine, ambient, onTerminal, withEnv } from "./engine";
import { hour, hours, moment, span } from "./expiry";
import { changedFiles, committed, fetchBranch, isAncestor } from "./git";
import { takeOverDeadLock } from "./locks";
import { type Cluster, reach } from "./reach";
import { releaseEnv } from "./release";
import { reports } from "./reports";
import { stackOf } from "./review-stack";
import { secretsProviderOf } from "./secrets-provider";
import { settingsOf } from "./settings";
import { showPreview } from "./show-preview";
import {
  type Outputs,
  createStack,
  exists,
  outputsOf,
  removeTags,
  setTags,
  stateOf,
  tagsOf,
} from "./stacks";

export interface CanaryOptions {
  readonly acceptShare?: boolean;
  /** Commit that `image` was built from. */
  readonly commit?: string;
  /** How long it lives, as `2h`. */
  readonly for: string;
  /** Another image than that of the branch's review stack. */
  readonly image?: string;
  /** Share of production's requests, above 0 and at most 50. */
  readonly percent: number;
  readonly yes?: boolean;
}

const stack = "prod-canary";
const migrationsDirectory = "service/src/main/resources/db/migration";
/** Nobody looks after a canary for longer. */
const longestHours = 72;

/** Tags of the canary's stack. */
export const canaryTags = {
  branch: "branch",
  cluster: "clusterUid",
  expires: "expires",
  percent: "percent",
} as const;

/** `npm run canary -- start BRANCH`: a few pods of a branch among those that answer production's requests. */
export async function canaryStart(
  branch: string,
  options: CanaryOptions,
  given: Engine = ambient,
): Promise<void> {
  const lives = hours(options.for);
  if (lives > longestHours) {
    throw new UserError(`A canary lives at most 72 h, got "${options.for}".`);
  }
  const settings = await settingsOf(stack, withEnv(given, { RELEASE_IMAGE_REF: "" }));
  const { cluster } = await reach(settings, given);
  const { commit, imageRef } = await candidate(branch, options, given);
  const share = canaryShare(await readyPods(settings, cluster), options.percent / 100);
  console.log(shown(share));
  const fault = shareFault(share);
  if (fault !== undefined && (share.stable === 0 || options.acceptShare !== true)) {
    throw new UserError(`${fault}\nNothing was changed.`);
  }
  const release = { branch, commit, imageRef, replicas: share.pods };
  const target = await aim(stack, withEnv(given, releaseEnv(release)));
  await refuse(target, true);
  const started = Date.now();
  const expires = new Date(started + lives * hour);
  const changed = await run(target, options, expires);
  const { url = settings.host } = await outputsOf("prod", given);
  reports.leaveDeployed({ changed, seconds: (Date.now() - started) / 1000, stack, url });
  console.log(`\nThe canary of ${branch} answers ${percent(share.real)} of production's requests`);
  console.log(`  until ${moment(expires)}; earlier: npm run canary -- stop`);
}

/** Preview, confirmation, update. The expiry is written first: what is there always has one. */
async function run(target: Target, options: CanaryOptions, expires: Date): Promise<string> {
  const { cluster, engine, last, settings } = target;
  if (last === undefined) await createStack(stack, secretsProviderOf(stack, engine), engine);
  else await takeOverDeadLock(stack, engine);
  const changed = await showPreview(stack, engine);
  await confirm(stack, options.yes ?? false);
  await setTags(
    stack,
    {
      [canaryTags.branch]: settings.release.branch,
      [canaryTags.cluster]: cluster.uid,
      [canaryTags.expires]: expires.toISOString(),
      [canaryTags.percent]: String(options.percent),
    },
    engine,
  );
  try {
    await update(target);
  } catch (error) {
    // Pods that are not ready get no request, so nothing is urgent.
    console.error("What was started is still there. Remove it by: npm run canary -- stop");
    throw error;
  }
  return changed;
}

/** The branch's image and commit, once nothing speaks against them. */
async function candidate(
  branch: string,
  options: CanaryOptions,
  engine: Engine,
): Promise<{ readonly commit: string; readonly imageRef: string }> {
  const running = await runningCanary(engine);
  const review = options.image === undefined ? await reviewOutputs(branch, engine) : {};
  const imageRef = options.image ?? review.imageRef;
  const built = options.image === undefined ? review.commit : options.commit;
  const commit = built?.includes("-dirty.") === true ? undefined : committed(built);
  const production = (await exists("prod", engine)) ? await outputsOf("prod", engine) : {};
  const productionCommit = committed(production.commit);
  const known = commit !== undefined && productionCommit !== undefined;
  if (known && (await isAncestor(productionCommit, commit, engine)) === undefined) {
    await fetchBranch(branch, engine).catch(() => undefined);
  }
  const containsProduction = known ? await isAncestor(productionCommit, commit, engine) : undefined;
  const migrations = known
    ? await changedFiles(productionCommit, commit, migrationsDirectory, engine)
    : undefined;
  const [refusal] = canaryRefusals({
    branch,
    commit,
    containsProduction,
    imageRef,
    migrations,
    productionCommit,
    running,
  });
  if (refusal !== undefined || commit === undefined || imageRef === undefined) {
    throw new UserError(`${refusal ?? ""}\nNothing was changed.`);
  }
  return { commit, imageRef };
}

/** Review stacks may have a state of their own: REVIEW_BACKEND_URL. */
async function reviewOutputs(branch: string, engine: Engine): Promise<Outputs> {
  const url = process.env["REVIEW_BACKEND_URL"] ?? "";
  const its = url === "" ? engine : withEnv(engine, { PULUMI_BACKEND_URL: url });
  const name = stackOf(branch);
  return (await exists(name, its)) ? outputsOf(name, its) : {};
}

/** Branch of the canary that runs; undefined when none does. */
export async function runningCanary(engine: Engine): Promise<string | undefined> {
  if (!(await exists(stack, engine))) return undefined;
  const { resources } = await stateOf(stack, engine);
  if (!resources.some(({ type }) => type === "kubernetes:apps/v1:Deployment")) return undefined;
  return (await tagsOf(stack, engine))[canaryTags.branch] ?? "unknown";
}

/** How many of a track's pods answer. */
async function readyPods(
  { identity, namespace }: Settings,
  { kubectl }: Cluster,
  track: "canary" | "stable" = "stable",
): Promise<number> {
  const selector = Object.entries(trackSelector(identity, "web", track));
  const which = ["--selector", selector.map((pair) => pair.join("=")).join(",")];
  const args = ["get", "pods", "--namespace", namespace, ...which, "--output", "json"];
  const { items } = JSON.parse(await kubectl(args, 30_000)) as {
    items: { status: { conditions?: { status: string; type: string }[] } }[];
  };
  return items.filter(({ status }) =>
    (status.conditions ?? []).some((found) => found.type === "Ready" && found.status === "True"),
  ).length;
}

/** `npm run canary -- status`. */
export async function canaryStatus(engine: Engine = ambient): Promise<void> {
  const settings = await settingsOf(stack, engine);
  const { cluster } = await reach(settings, engine);
  const branch = await runningCanary(engine);
  if (branch === undefined) {
    console.log("No canary runs.");
    return;
  }
  const tags = await tagsOf(stack, engine);
  const stable = await readyPods(settings, cluster);
  const canary = await readyPods(settings, cluster, "canary");
  const left = new Date(tags[canaryTags.expires] ?? 0).getTime() - Date.now();
  console.log(`${branch}: ${(await outputsOf(stack, engine)).imageRef ?? "no image yet"}`);
  console.log(
    `  ${String(canary)} Ready beside ${String(stable)} of production: ${percent(canary / Math.max(1, canary + stable))} of the requests, ${tags[canaryTags.percent] ?? "?"} % asked`,
  );
  console.log(
    left > 0
      ? `  expires in ${span(left)}`
      : `  expired ${span(left)} ago: stop it, or run the sweep`,
  );
}

/** `npm run canary -- stop`: deletes the canary's pods; production's stay as they are. */
export async function canaryStop(engine: Engine = ambient): Promise<void> {
  const { cluster, stacks } = await reach(await settingsOf(stack, engine), engine);
  if (!stacks.includes(stack)) {
    console.log("No canary runs.");
    return;
  }
  await stopCanary(cluster, engine);
}

/** @throws UserError when the canary lives in another cluster. */
export async function stopCanary(cluster: Cluster, engine: Engine): Promise<void> {
  const tags = await tagsOf(stack, engine);
  const where = (await outputsOf(stack, engine)).clusterUid ?? tags[canaryTags.cluster];
  if (where !== undefined && where !== cluster.uid) {
    throw new UserError(
      `The canary lives in the cluster ${where}, but the kubeconfig leads to ${cluster.uid}: choose the right context. Nothing was changed.`,
    );
  }
  await takeOverDeadLock(stack, engine);
  await onTerminal(["destroy", "--stack", stack, "--yes", "--skip-preview"], engine);
  await removeTags(stack, Object.values(canaryTags), engine);
}
