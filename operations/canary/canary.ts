import { canaryName } from "../../components/conventions/ci-roles";
import { UserError } from "../../lib/errors";
import { parsedFile } from "../../lib/json";
import { assertCheckout } from "./checkout";
import { type BuildJars, codeOf, imageOf } from "./image";
import { validateCanary } from "./preconditions";
import {
  type Production,
  canaryDeployment,
  canaryStack as stack,
  canaryTags,
  connectToProduction,
  readyPods,
  runningCanary,
} from "../stacks/running-canary";
import { canaryShare, percent, shareIssue, shown } from "./share";
import { confirm } from "../../lib/confirm";
import { assertDeployable, update } from "../deploy/deploy";
import { type DeployTarget, lastOf, resolveTarget } from "../deploy/target";
import { type Workspace, defaultWorkspace, withEnv } from "../pulumi/run-pulumi";
import { hour, hours, lifeLeft, moment } from "../../lib/time";
import { changedFiles, committed, fetchBranch, isAncestor } from "../clients/git";
import { holdIssue } from "../release/hold";
import { migrationsDirectory } from "../../config/service";
import { destroy } from "../removal/destroy";
import { recoverState } from "../pulumi/recovery/recover-state";
import { releaseEnv } from "../stacks/release";
import { reports } from "../../lib/reports";
import { secretsProviderOf } from "../pulumi/settings";
import { showPreview } from "../deploy/show-preview";
import { createStack, outputsOf, removeTags, setTags, tagsOf } from "../pulumi/stacks";
import * as v from "valibot";

export interface CanaryOptions {
  readonly acceptShare?: boolean;
  /** File with the report of `canary -- image`. The report names the image that the canary runs. */
  readonly built?: string;
  /**
   * Commit that the canary runs. Default: the newest commit of the branch at the remote. If `image`
   * is set, you must also set `commit` to the commit from which someone has built the image.
   */
  readonly commit?: string;
  /** Time from the start until the canary expires, such as `2h`. At most 72 h. */
  readonly for: string;
  /**
   * Image that someone else has built, in the form `repository@sha256:...`. Default: the image in
   * the report `built`. Without this report, the command builds an image of the commit with the
   * build files of main.
   */
  readonly image?: string;
  /** Share of production's requests in percent, above 0 and at most 50. */
  readonly percent: number;
  readonly yes?: boolean;
}

/**
 * Longest time from the start of a canary to its expiry, in hours. A person should watch a canary
 * until the canary ends, so a canary must not run for many days.
 */
const longestHours = 72;

/**
 * `npm run canary -- start BRANCH`: starts a few pods with the code of a branch. The pods serve a
 * part of production's requests.
 */
export async function canaryStart(
  branch: string,
  options: CanaryOptions,
  build: BuildJars,
  given: Workspace = defaultWorkspace,
): Promise<void> {
  const lives = hours(options.for);
  if (lives > longestHours) {
    throw new UserError(`--for must be at most 72h, got "${options.for}".`);
  }
  // This check comes before the first Pulumi command. Pulumi may write to a stack settings file,
  // and a later check would report this change as an uncommitted change.
  await assertCheckout(given);
  const production = await connectToProduction(withEnv(given, { RELEASE_IMAGE_REF: "" }));
  const commit =
    options.image === undefined
      ? (await codeOf(branch, options.commit, given)).commit
      : committed(options.commit);
  const known = await assertCandidate({ branch, commit }, production, given);
  const share = canaryShare(await readyPods(production), options.percent / 100);
  console.log(shown(share));
  const issue = shareIssue(share);
  if (issue !== undefined && (share.stable === 0 || options.acceptShare !== true)) {
    throw new UserError(`${issue}\nNothing was changed.`);
  }
  const imageRef = await imageFor({ branch, commit: known }, options, given, build);
  const release = { branch, commit: known, imageRef, replicas: share.pods };
  const target = await resolveTarget(stack, withEnv(given, releaseEnv(release)));
  await assertDeployable(target, true);
  const started = Date.now();
  const expires = new Date(started + lives * hour);
  const changed = await run(target, options, expires);
  const { url = target.settings.host } = await outputsOf("prod", given);
  const seconds = (Date.now() - started) / 1000;
  reports.leaveDeployed({ changed, commit: known, imageRef, seconds, stack, url });
  console.log(`\nThe canary of ${branch} answers ${percent(share.real)} of production's requests`);
  console.log(`  until ${moment(expires)}. To stop it earlier: npm run canary -- stop`);
}

/**
 * Shows the preview, asks for confirmation, and updates the canary's stack. Sets the expiry before
 * the update. So the canary has an expiry even if the update fails.
 *
 * @returns what changes, in one line
 */
async function run(target: DeployTarget, options: CanaryOptions, expires: Date): Promise<string> {
  const { cluster, last, settings, workspace } = target;
  if (last === undefined) await createStack(stack, secretsProviderOf(stack, workspace), workspace);
  else await recoverState(stack, cluster, workspace);
  const changed = await showPreview(stack, workspace, { cluster });
  await confirm(stack, options.yes ?? false);
  const tags = {
    [canaryTags.branch]: settings.release.branch,
    [canaryTags.cluster]: cluster.uid,
    [canaryTags.expires]: expires.toISOString(),
    [canaryTags.percent]: String(options.percent),
  };
  await setTags(stack, tags, workspace);
  try {
    await update(target);
  } catch (error) {
    // The failed update may leave pods that are not Ready. Such pods get no requests, so the
    // removal of the pods is not urgent.
    console.error("The canary's pods may still exist. To remove them: npm run canary -- stop");
    throw error;
  }
  return changed;
}

/** The report of `canary -- image`. */
const report = v.object({ branch: v.string(), commit: v.string(), imageRef: v.string() });

/**
 * Returns the image that the canary runs: the given image, the image in a report of `canary --
 * image`, or an image that this command builds.
 *
 * @throws UserError if the report cannot be read, or is about another branch or another commit
 */
async function imageFor(
  code: { readonly branch: string; readonly commit: string },
  { built, image }: CanaryOptions,
  workspace: Workspace,
  build: BuildJars,
): Promise<string> {
  if (image !== undefined) return image;
  if (built === undefined) return imageOf(code, workspace, build);
  const { branch, commit, imageRef } = parsedFile(report, built) ?? {};
  if (imageRef === undefined || branch !== code.branch || commit !== code.commit) {
    throw new UserError(
      `${built} is about commit ${commit ?? "unknown"} of branch "${branch ?? "unknown"}", ` +
        `not about commit ${code.commit} of branch "${code.branch}": ` +
        "run npm run canary -- image again. Nothing was changed.",
    );
  }
  return imageRef;
}

/**
 * Checks whether a canary may run the commit next to production's pods, and returns the commit.
 *
 * @throws UserError if a precondition is not met
 */
async function assertCandidate(
  { branch, commit }: { readonly branch: string; readonly commit: string | undefined },
  production: Production,
  workspace: Workspace,
): Promise<string> {
  const running = await runningCanary(production, workspace);
  const isThere = production.stacks.includes("prod");
  const { outputs: stable, tags } = isThere
    ? await lastOf("prod", workspace)
    : { outputs: {}, tags: {} };
  const productionCommit = committed(stable.commit);
  const known = commit !== undefined && productionCommit !== undefined;
  if (known && (await isAncestor(productionCommit, commit, workspace)) === undefined) {
    await fetchBranch(branch, workspace).catch(() => undefined);
  }
  const containsProduction = known
    ? await isAncestor(productionCommit, commit, workspace)
    : undefined;
  const migrations = known
    ? await changedFiles(productionCommit, commit, migrationsDirectory, workspace)
    : undefined;
  const issue = validateCanary({
    branch,
    commit,
    containsProduction,
    hold: holdIssue("prod", tags),
    migrations,
    productionCommit,
    productionRuns: stable.imageRef !== undefined,
    running,
  });
  if (issue !== undefined || commit === undefined) {
    throw new UserError(`${issue ?? ""}\nNothing was changed.`);
  }
  return commit;
}

/**
 * `npm run canary -- status`: prints the canary's branch, image, share of the requests, and expiry.
 */
export async function canaryStatus(workspace: Workspace = defaultWorkspace): Promise<void> {
  const production = await connectToProduction(workspace);
  const running = await runningCanary(production, workspace);
  if (running === undefined) {
    console.log("No canary runs.");
    return;
  }
  const { branch, expires, imageRef = "no image yet", percent: asked = "?" } = running;
  const stable = await readyPods(production);
  const canary = await readyPods(production, "canary");
  console.log(`${branch}: ${imageRef}`);
  console.log(
    `  ${String(canary)} canary and ${String(stable)} production pods are Ready: ` +
      `${percent(canary / Math.max(1, canary + stable))} of the requests, ${asked} % requested`,
  );
  console.log(`  ${life(expires)}`);
}

function life(expires: Date | undefined): string {
  if (expires === undefined) return "has no expiry: stop it";
  const over = expires <= new Date();
  return `${lifeLeft(expires)}${over ? ": stop it, or run the sweep" : ""}`;
}

/** `npm run canary -- stop`: deletes the canary's pods. Production's pods do not change. */
export async function canaryStop(workspace: Workspace = defaultWorkspace): Promise<void> {
  const production = await connectToProduction(workspace);
  if (production.stacks.includes(stack)) {
    await stopCanary(production, workspace);
    reports.leaveRemoved(stack);
    return;
  }
  if ((await canaryDeployment(production)) === undefined) {
    console.log("No canary runs.");
    return;
  }
  const { namespace } = production.settings;
  throw new UserError(
    `There is no stack "${stack}" in this state backend, but Deployment ${canaryName} exists. Its stack may be in another backend. ` +
      `If it has no stack: kubectl delete deployment,networkpolicy ${canaryName} --namespace ${namespace}`,
  );
}

/**
 * Deletes the canary's Deployment with kubectl, then destroys the canary's stack with Pulumi.
 *
 * @throws UserError if the canary is in a cluster other than the cluster of the kubeconfig
 */
export async function stopCanary(production: Production, workspace: Workspace): Promise<void> {
  const { cluster, settings } = production;
  const tags = await tagsOf(stack, workspace);
  const where = (await outputsOf(stack, workspace)).clusterUid ?? tags[canaryTags.cluster];
  if (where !== undefined && where !== cluster.uid) {
    throw new UserError(
      `The canary is in the cluster ${where}, but the kubeconfig points to ${cluster.uid}: choose the right context. Nothing was changed.`,
    );
  }
  // kubectl deletes the Deployment first, because kubectl does not need the stack's lock. Someone
  // may have killed `canary -- start` while Pulumi waited for the pods. In this case, the stack may
  // still be locked, and the stack's state does not contain the Deployment. But the canary's pods
  // may already answer production's requests.
  if ((await canaryDeployment(production)) !== undefined) {
    // With "foreground", kubectl waits until the Deployment's pods are gone, as Pulumi does.
    const how = ["--cascade=foreground", "--ignore-not-found"];
    const which = [canaryName, "--namespace", settings.namespace, ...how];
    console.log((await cluster.kubectl(["delete", "deployment", ...which])).trim());
  }
  await recoverState(stack, cluster, workspace);
  await destroy(stack, cluster, workspace);
  await removeTags(stack, Object.values(canaryTags), workspace);
}
