import { isDeepStrictEqual } from "node:util";
import { environments } from "../../environments";
import { duration, hour, hours } from "../../lib/time";
import { UserError } from "../../lib/errors";
import { canaryStack } from "../stacks/running-canary";
import { confirm } from "../../lib/confirm";
import {
  type Workspace,
  defaultWorkspace,
  change,
  policyOptions,
  variables,
  withEnv,
} from "../pulumi/run-pulumi";
import { driftOf, isReverted, linesOf } from "../drift/drift";
import { notesOf } from "../drift/read";
import { notifierNote } from "../notify/jobs/last-run";
import { takeBack } from "../drift/take-back";
import { ensureStack } from "./ensure-stack";
import { keepingAlive } from "./keeping-alive";
import { assertNamespaceNotShared } from "./foreign-objects";
import { forcing } from "../pulumi/field-managers";
import { UpdateError } from "../pulumi/events";
import { seenIn } from "../pulumi/live-objects";
import { reportFailure } from "./failure-report";
import { committed, head, isAncestor, person, remoteBranches } from "../clients/git";
import { messageOf, type Told } from "../history/updates";
import { recordKey } from "../doctor/record";
import { assertNotHeld } from "../release/hold";
import { goneImage, keepImage, prepareBuild } from "./built-image";
import { type Downgrade, validateDeploy } from "./preconditions";
import { assertBelowLimit } from "../stacks/review-limit";
import { isRequested, promoted, promotedTag } from "../stacks/release";
import { type Deployed, reports } from "../../lib/reports";
import { reviewTags } from "../stacks/review-stack";
import { showPreview } from "./show-preview";
import { duringMigration, runningJobs, untilNoJobRuns } from "../stacks/running-jobs";
import { type DeployTarget, resolveTarget } from "./target";
import { outputsOf, removeTags, setTags, stateOf, tagsOf } from "../pulumi/stacks";

export interface DeployOptions {
  /** Allows a deploy of code that is older than the running code, such as an earlier commit. */
  readonly allowOlder?: boolean;
  /**
   * File with the plan of an approved preview. The deploy then changes only what the plan contains.
   * Without a file, the deploy applies everything that its own preview shows.
   */
  readonly approved?: string;
  /**
   * Undoes what someone has changed in the cluster. Default: true for stacks that a developer may
   * delete (`local` and review stacks), otherwise false.
   */
  readonly takeBack?: boolean;
  /** The deploy calls this function after the confirmation, before any change in the cluster. */
  readonly confirmed?: () => Promise<void>;
  /** Deploys even if the stack has a hold, for example after a rollback. */
  readonly evenIfHeld?: boolean;
  /**
   * Longest time to wait until no job runs, such as `30m`. The deploy waits before the update, so
   * that the database migration does not start while a job runs.
   *
   * @default - does not wait
   */
  readonly waitForJobs?: string;
  /** Does not ask for confirmation. */
  readonly yes?: boolean;
}

/** Name of the stack tag with the commit of the program that the last deploy used. */
const deployedTag = "deployed";

/**
 * `npm run deploy -- STACK`: shows a preview, asks for confirmation, runs `pulumi up`, and writes
 * tags and a report.
 */
export async function deploy(
  stack: string,
  options: DeployOptions = {},
  given: Workspace = defaultWorkspace,
): Promise<void> {
  if (stack === canaryStack) {
    throw new UserError("To start a canary, run: npm run canary -- start BRANCH");
  }
  const waitMs = options.waitForJobs === undefined ? 0 : hours(options.waitForJobs) * hour;
  const started = Date.now();
  const target = await resolveTarget(stack, given);
  if (options.evenIfHeld !== true) assertNotHeld(stack, target.last?.tags ?? {});
  await assertDeployable(target, options.allowOlder ?? false);
  if (environments[target.settings.environment].perBranch)
    await assertBelowLimit(stack, target.cluster, given);
  const drift = await ensureStack(target);
  const { namespace } = target.settings;
  const isNew = target.last?.outputs.clusterUid === undefined;
  const jobs = isNew ? [] : duringMigration(await runningJobs(namespace, target.cluster));
  const takesBack = options.takeBack ?? !environments[target.settings.environment].protectedBranch;
  const workspace = takesBack ? withEnv(target.workspace, forcing) : target.workspace;
  const changed = await showPreview(stack, workspace, {
    approved: options.approved,
    cluster: target.cluster,
    notes: [...notesOf(drift), ...jobs.map((ifPodsChange) => ({ ifPodsChange }))],
  });
  await confirm(stack, options.yes ?? false);
  if (waitMs > 0) await untilNoJobRuns(namespace, target.cluster, waitMs);
  await options.confirmed?.();
  if (takesBack) await takeBack(drift, target.cluster);
  const updated = await updateAndRecord({ ...target, workspace }, started, { changed });
  if (!takesBack) await assertNotReverted(target);
  const { imageRef, took, url } = updated;
  console.log(`\nStack ${stack} runs ${imageRef}`);
  console.log(`  ${url} (everything ${duration(took)})`);
  const note = await notifierNote(target.settings, target.cluster, workspace);
  if (note !== undefined) console.log(`  ${note}`);
}

/**
 * Compares the cluster with the state after an update. Pulumi compares the program only with the
 * state, and does not find a field that someone has changed in the cluster.
 *
 * @throws UserError if an object is gone, or a field does not have the value that the update wrote
 */
async function assertNotReverted({ cluster, settings, workspace }: DeployTarget): Promise<void> {
  const { resources } = await stateOf(settings.stack, workspace);
  const drift = driftOf(await seenIn(resources, cluster));
  if (!isReverted(drift)) return;
  throw new UserError(
    [
      "The update succeeded, but these objects differ from the program, because someone changed them in the cluster:",
      ...linesOf(drift).map((line) => `  ${line}`),
      `To undo these changes: npm run deploy -- ${settings.stack} --take-back`,
      "To keep a change: write the cluster's value into the program or the stack settings file, and deploy.",
    ].join("\n"),
  );
}

/**
 * Runs `pulumi up`, records the deploy in the stack's tags, and writes a report.
 *
 * @returns the image and the URL of the stack, and the milliseconds since the command started
 */
export async function updateAndRecord(
  target: DeployTarget,
  started: number,
  preview: Pick<Deployed, "changed">,
): Promise<{ readonly imageRef: string; readonly took: number; readonly url: string }> {
  const { settings, workspace } = target;
  const { stack } = settings;
  await keepingAlive(target, async () => update(target));
  await recordDeploy(target);
  const { commit = "", imageRef = "", url = settings.host } = await outputsOf(stack, workspace);
  if (imageRef !== "") await keepImage(target, imageRef);
  const took = Date.now() - started;
  reports.leaveDeployed({ ...preview, commit, imageRef, seconds: took / 1000, stack, url });
  return { imageRef, took, url };
}

/**
 * Checks whether the deploy may change the stack.
 *
 * @throws UserError with every reason why the deploy must not change the stack.
 */
export async function assertDeployable(target: DeployTarget, allowOlder: boolean): Promise<void> {
  const { cluster, workspace, last, settings } = target;
  const { environment, release, releaseReason, stack } = settings;
  const { perBranch } = environments[environment];
  const branches = perBranch ? await remoteBranches(workspace) : undefined;
  const found = validateDeploy({
    // If a release has a reason, a person has chosen it on purpose. So this release may be older.
    allowOlder: allowOlder || releaseReason !== undefined,
    branch: release.branch,
    branchAtRemote: branches?.has(release.branch),
    cluster: cluster.uid,
    environment,
    goneImage: await goneImage(target),
    networkPolicies: cluster.annotations?.[recordKey],
    // If the first update failed, the stack has no outputs, and only the tag has the cluster's UID.
    lastCluster: last?.outputs.clusterUid ?? last?.tags[reviewTags.cluster],
    downgrade: await downgradeOf(target, branches?.get(release.branch)),
    pullRequestOpen: perBranch ? await pullRequestOpen(workspace) : undefined,
    stack,
  });
  if (found.length > 0) throw new UserError(`${found.join("\n")}\nNothing was changed.`);
  await assertNamespaceNotShared(target);
}

/**
 * Whether the branch's pull request is open. Undefined if the GitHub token or the pull request is
 * missing, or if GitHub does not answer.
 */
async function pullRequestOpen(workspace: Workspace): Promise<boolean | undefined> {
  const env = variables(workspace);
  if ((env["GITHUB_TOKEN"] ?? "") === "") return undefined;
  const { isOpen, pullRequestFrom } = await import("../clients/github");
  const pull = pullRequestFrom(env);
  if (pull === undefined) return undefined;
  return isOpen(pull).catch((error: unknown) => {
    console.error(`warning: cannot tell whether the pull request is open: ${String(error)}`);
    return undefined;
  });
}

/**
 * Compares this deploy with what the stack runs. If the image or the program of this deploy is
 * older, returns the older and the newer commit. Otherwise undefined.
 *
 * @param tip commit of the review stack's branch at the remote. A deploy of this commit is never a
 * downgrade, not even after someone has reset the branch to an older commit
 */
async function downgradeOf(
  { workspace, last, settings }: DeployTarget,
  tip: string | undefined,
): Promise<Downgrade | undefined> {
  const program = await head(workspace);
  if (settings.imageRef === undefined && program !== undefined && program === tip) return undefined;
  // If a stack does not build its image and this deploy names no image, the stack keeps its current
  // image.
  const keeps =
    settings.imageRef === undefined && environments[settings.environment].image !== "built";
  const image = keeps ? undefined : settings.release.commit;
  const pairs = [
    ["image", committed(image), committed(last?.outputs.commit)],
    ["program", program, committed(last?.tags[deployedTag])],
  ] as const;
  for (const [what, wanted, running] of pairs) {
    if (wanted === undefined || running === undefined || wanted === running) continue;
    if ((await isAncestor(wanted, running, workspace)) === true) return { running, wanted, what };
  }
  return undefined;
}

/**
 * Returns a check for an update that may have to wait for another update of the stack. The update
 * calls the check before each try.
 *
 * @throws UserError (from the check) if the other update has changed the stack's outputs. The
 * preview and its approval are then out of date.
 */
export function unchangedSince({
  workspace,
  last,
  settings: { stack },
}: DeployTarget): () => Promise<void> {
  let waited = false;
  return async () => {
    if (waited && !isDeepStrictEqual(await outputsOf(stack, workspace), last?.outputs ?? {})) {
      throw new UserError(
        `Another update has changed stack "${stack}" while this update waited for it. ` +
          "Preview the stack again. This update has changed nothing.",
      );
    }
    waited = true;
  };
}

/** Runs `pulumi up` without a prompt. If the update fails, prints the reason. */
export async function update(target: DeployTarget): Promise<void> {
  const { cluster, workspace, settings } = target;
  const started = new Date();
  const options = await prepareBuild(target);
  try {
    const message = messageOf({ ...releaseIn(target), by: await person(workspace) });
    await change("up", settings.stack, workspace, {
      before: unchangedSince(target),
      options: [...policyOptions(workspace), "--message", message, ...options],
    });
  } catch (error) {
    const causes = error instanceof UpdateError ? error.causes : [];
    await reportFailure(cluster, settings, { causes, since: started });
    throw error;
  }
}

/** Returns the release that an update deploys, for the message in the stack's history. */
function releaseIn({ last, settings }: DeployTarget): Omit<Told, "by"> {
  const { environment, imageRef, release, releaseReason: reason } = settings;
  if (imageRef !== undefined || environments[environment].image === "built") {
    return { ...release, imageRef, reason };
  }
  // This deploy names no image, so the stack keeps its release.
  const { branch = "unknown", commit = "unknown", ...kept } = last?.outputs ?? {};
  return { branch, commit, imageRef: kept.imageRef, reason: reason ?? kept.releaseReason };
}

/**
 * Writes the program's commit to the stack's tags. Removes the tag of the promoted release if this
 * deploy has deployed that release. The update itself has written the release to the stack's
 * outputs.
 */
export async function recordDeploy({
  workspace,
  settings: { stack },
}: DeployTarget): Promise<void> {
  const commit = await head(workspace);
  if (commit !== undefined) await setTags(stack, { [deployedTag]: commit }, workspace);
  // If someone has promoted another release during this deploy, the tag of that release stays for
  // the next deploy.
  const release = promoted(await tagsOf(stack, workspace));
  if (release !== undefined && isRequested(workspace, release)) {
    await removeTags(stack, [promotedTag], workspace);
  }
}
