import { shortCommit } from "../../components/conventions/names";
import { traitsOf } from "../../environments";
import { UserError } from "../../lib/errors";
import { moment } from "../../lib/time";
import { commitsBetween } from "../clients/git";
import { inWorktree, takeFiles } from "../clients/worktree";
import { isGone } from "../clients/registry";
import { deploy } from "../deploy/deploy";
import { again } from "../deploy/preconditions";
import { driftNotes } from "../drift/read";
import { type Update, updatesOf } from "../history/updates";
import { noSuchStack, stackNames } from "../pulumi/connect";
import { type Workspace, defaultWorkspace, withEnv } from "../pulumi/run-pulumi";
import { outputsOf } from "../pulumi/stacks";
import type { ApprovalOptions } from "../stacks/approval";
import { canaryStack } from "../stacks/running-canary";
import { releaseEnv } from "../stacks/release";
import { setHold } from "./hold";
import { contractions } from "./migrations";
import { isReason } from "./promote";

export interface RollbackOptions extends ApprovalOptions {
  readonly reason: string;
  /**
   * Commit, or digest without `sha256:`, of the release that the rollback deploys. At least the
   * first 7 characters. An empty text means the default, because CircleCI passes an empty text if
   * the pipeline's parameter is not set.
   *
   * @default - the release before the running one
   */
  readonly to?: string;
  readonly yes?: boolean;
}

/** An update whose release can be deployed again, because its commit and image are known. */
type Earlier = Update & { readonly commit: string; readonly imageRef: string };

/** Largest number of commits that the command lists. */
const mostCommits = 10;

/**
 * Returns the files that a rollback takes from the older release: the jobs and the stack settings
 * file.
 */
const filesOf = (stack: string): readonly string[] => ["jobs.ts", `Pulumi.${stack}.yaml`];

/**
 * `npm run rollback -- STACK --reason TEXT`: deploys an earlier release, by default the previous
 * one. The jobs and the stack settings file come from the earlier release. The rest of the program
 * comes from the current checkout. The command also holds the stack, so that no pipeline deploys
 * the bad release again.
 *
 * @throws UserError if the stack has no earlier release, if a canary runs, if a migration prevents
 * the rollback, or if a check of the deploy fails.
 */
export async function rollback(
  stack: string,
  options: RollbackOptions,
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const { reason, to } = options;
  if (traitsOf(stack)?.image !== "promoted") {
    throw new UserError(
      `Stack "${stack}" runs what is checked out: check out the older code, and deploy it with --allow-older.`,
    );
  }
  if (!isReason(reason)) {
    throw new UserError("--reason must be a line of at most 200 characters.");
  }
  const earlier = await showEarlier(stack, to === "" ? undefined : to, workspace);
  const release = { branch: earlier.branch ?? "unknown", commit: earlier.commit, reason };
  const env = releaseEnv({ ...release, imageRef: earlier.imageRef });
  const commit = earlier.program ?? earlier.commit;
  // The rollback runs in a worktree with the current program. In this worktree, the jobs and the
  // stack settings file come from the older release.
  await inWorktree(workspace, async (directory) => {
    await takeFiles(directory, { commit, files: filesOf(stack) });
    const older = withEnv({ ...workspace, cwd: directory }, env);
    await previewOrDeploy(stack, options, workspace, older);
  });
}

async function previewOrDeploy(
  stack: string,
  { approved, preview: output, reason, yes = false }: RollbackOptions,
  today: Workspace,
  older: Workspace,
): Promise<void> {
  if (output !== undefined) {
    const { preview } = await import("../preview/command");
    await preview(stack, { format: "json", notes: driftNotes(stack, today), output }, older);
    console.log(`The rollback would also hold stack ${stack}. Nothing was changed.`);
    return;
  }
  await deploy(
    stack,
    {
      allowOlder: true,
      ...(approved === undefined ? {} : { approved }),
      confirmed: async () => setHold(stack, reason, today),
      evenIfHeld: true,
      yes,
    },
    older,
  );
  console.log(`Stack ${stack} is held: it gets no release until npm run resume -- ${stack}`);
}

/**
 * Prints the running release, the release that the rollback deploys, and the commits that the stack
 * no longer runs after the rollback.
 *
 * @returns the release that the rollback deploys
 * @throws UserError if the rollback is not possible.
 */
async function showEarlier(
  stack: string,
  to: string | undefined,
  workspace: Workspace,
): Promise<Earlier> {
  const stacks = await stackNames(workspace);
  if (!stacks.includes(stack)) throw noSuchStack(stack);
  // If the canary's stack has outputs, the canary runs: when the canary stops, Pulumi removes the
  // outputs.
  const canary = stacks.includes(canaryStack) ? await outputsOf(canaryStack, workspace) : {};
  if (canary.imageRef !== undefined) {
    throw new UserError(
      `A canary runs among the pods of stack "${stack}". Stop it first: npm run canary -- stop. Nothing was changed.`,
    );
  }
  const [updates, outputs] = await Promise.all([
    updatesOf(stack, workspace),
    outputsOf(stack, workspace),
  ]);
  const { commit: running = "unknown", imageRef } = outputs;
  const earlier = earlierRelease(stack, updates, imageRef, to);
  console.log(`${stack} runs ${shortCommit(running)} (${imageRef ?? "no image"})`);
  console.log(
    `It goes back to ${shortCommit(earlier.commit)}, which ran from ${moment(earlier.started)} (${earlier.imageRef})`,
  );
  if (await isGone(earlier.imageRef, workspace.env)) {
    throw new UserError(
      `The registry does not have ${earlier.imageRef} any more: choose another release with --to, ` +
        `or ${again} Nothing was changed.`,
    );
  }
  const back = await commitsBetween(earlier.commit, running, workspace);
  if (back === undefined) {
    throw new UserError(
      `git does not know commit ${shortCommit(earlier.commit)} or commit ${shortCommit(running)}. Run: git fetch --unshallow. Nothing was changed.`,
    );
  }
  console.log(
    [
      `The rollback undoes ${back.length === 1 ? "1 commit" : `${String(back.length)} commits`}:`,
      ...back.slice(0, mostCommits).map((one) => `  ${one}`),
      ...(back.length > mostCommits ? [`  and ${String(back.length - mostCommits)} more`] : []),
    ].join("\n"),
  );
  await assertNoContraction(earlier.commit, running, workspace);
  return earlier;
}

/**
 * Checks that no migration prevents a rollback to the older code.
 *
 * @throws UserError with each migration that prevents the rollback
 */
async function assertNoContraction(
  older: string,
  running: string,
  workspace: Workspace,
): Promise<void> {
  const blocking = await contractions(older, running, workspace);
  if (blocking.length === 0) return;
  throw new UserError(
    [
      "The older code may not work with the current database:",
      ...blocking.map((one) => `  ${one}`),
      "Deploy a fix instead. Nothing was changed.",
    ].join("\n"),
  );
}

/**
 * Chooses the release that the rollback deploys. Without `to`, the function chooses the release
 * that ran before the first deploy of the running release. So a second rollback deploys an even
 * older release, and not the bad release.
 *
 * @param updates - the newest first
 */
export function earlierRelease(
  stack: string,
  updates: readonly Update[],
  running: string | undefined,
  to?: string,
): Earlier {
  const releases = updates.filter(
    (one): one is Earlier =>
      one.succeeded && one.imageRef !== undefined && /^[0-9a-f]{40}$/.test(one.commit ?? ""),
  );
  /**
   * Returns an update whose checkout contains the jobs and the stack settings file of an image's
   * release. A rollback deploys an old image with a later checkout, and always has a reason. So
   * from the updates with this image, the function returns the newest update without a reason or,
   * if each update has a reason, the oldest update.
   */
  const original = ({ imageRef }: Earlier): Earlier => {
    const all = releases.filter((one) => one.imageRef === imageRef);
    return all.find(({ reason }) => reason === undefined) ?? (all.at(-1) as Earlier);
  };
  const others = releases.filter(({ imageRef }) => imageRef !== running);
  if (to !== undefined) {
    const found = others.find(
      ({ commit, imageRef }) =>
        /^[0-9a-f]{7,}$/.test(to) && (commit.startsWith(to) || imageRef.includes(`@sha256:${to}`)),
    );
    if (found !== undefined) return original(found);
    throw new UserError(
      `Stack "${stack}" has no earlier release "${to}": npm run history -- ${stack} lists its releases. Nothing was changed.`,
    );
  }
  const first = releases.map(({ imageRef }) => imageRef).lastIndexOf(running ?? "");
  const found = releases.slice(first + 1).find(({ imageRef }) => imageRef !== running);
  if (found !== undefined) return original(found);
  throw new UserError(
    `The history of stack "${stack}" has no release before the running one. ` +
      'docs/operations.md, "Back to older code", says how to name an image. Nothing was changed.',
  );
}
