import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  buildFiles,
  builtFrom,
  codeDirectory,
  contentHash,
  contextDirectory,
} from "../../components/conventions/content-hash";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { reports } from "../../lib/reports";
import {
  changedFiles,
  committed,
  fetchBranch,
  fullCommit,
  remoteBranches,
  unusualFilesAt,
} from "../clients/git";
import { addTag, taggedImage } from "../clients/registry";
import { inWorktree, takeFiles } from "../clients/worktree";
import { resolveTarget } from "../deploy/target";
import { type Workspace, defaultWorkspace, withEnv } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { createStack } from "../pulumi/stacks";
import { pushImage } from "../release/build-image";
import { withoutRelease } from "../stacks/release";
import { assertCheckout } from "./checkout";
import { validateBuild } from "./preconditions";

/** Builds the service's jars in a directory with the files of the repository. */
export type BuildJars = (directory: string) => Promise<void>;

/** The code that a canary runs. */
export interface Code {
  readonly branch: string;
  readonly commit: string;
}

/**
 * Stack whose settings determine how Pulumi builds the image. Production runs images that Pulumi
 * built with the settings of staging, and a canary must have the same kind of image.
 */
const builder = "staging";

/**
 * Checks the branch and the commit of a canary, and returns both. This function does not read the
 * cluster.
 *
 * @param asked - commit that a person has chosen. Default: the newest commit of the branch
 * @throws UserError if the commit is not the branch's newest commit at the remote, or if
 * `validateBuild` gives another reason
 */
export async function codeOf(
  branch: string,
  asked: string | undefined,
  workspace: Workspace,
): Promise<Code> {
  const tip = (await remoteBranches(workspace))?.get(branch);
  const commit = asked ?? tip ?? "";
  if (asked !== undefined && committed(asked) !== asked) {
    throw new UserError(`--commit must be the 40 hex digits of a commit, got "${asked}".`);
  }
  if (commit === tip && (await fullCommit(commit, workspace)) === undefined) {
    await fetchBranch(branch, workspace).catch(() => undefined);
  }
  const differing = await Promise.all(
    buildFiles.map(async (file) => changedFiles("HEAD", commit, file, workspace)),
  );
  const issue = validateBuild({
    branch,
    commit,
    otherBuildFiles: differing.includes(undefined)
      ? undefined
      : differing.flatMap((files) => files ?? []),
    tip,
    unusualFiles: await unusualFilesAt(commit, codeDirectory, workspace),
  });
  if (issue !== undefined) throw new UserError(`${issue}\nNothing was changed.`);
  return { branch, commit };
}

/**
 * `npm run canary -- build BRANCH`: builds the jars of a branch, and puts the jars into this
 * checkout. The job that runs this command needs no permissions. The job `canary-image` then builds
 * an image with these jars.
 */
export async function canaryBuild(
  branch: string,
  options: { readonly commit?: string },
  build: BuildJars,
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  await assertCheckout(workspace);
  const code = await codeOf(branch, options.commit, workspace);
  const target = join(workspace.cwd, contextDirectory);
  await withCode(code, workspace, build, async (directory) => {
    rmSync(target, { force: true, recursive: true });
    await copied(join(directory, contextDirectory), target);
  });
  console.log(`Built ${code.commit} of ${branch}`);
}

/**
 * `npm run canary -- image BRANCH`: builds and pushes the image of a branch with main's program.
 * Writes the report that `canary -- start --built` reads.
 */
export async function canaryImage(
  branch: string,
  options: { readonly commit?: string },
  build: BuildJars,
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  await assertCheckout(workspace);
  const code = await codeOf(branch, options.commit, workspace);
  const imageRef = await imageOf(code, workspace, build);
  reports.leaveImage(imageRef, code);
  console.log(imageRef);
}

/**
 * Returns the image with the tag `canary-<commit>` in the repository of production's images. The CI
 * jobs of branches cannot push to this repository. If the tag does not exist, builds and pushes the
 * image, and adds the tag. The registry refuses to move this tag to another image.
 */
export async function imageOf(code: Code, given: Workspace, build: BuildJars): Promise<string> {
  const workspace = withoutRelease(given);
  const { imageRepository = "" } = await settingsOf(builder, workspace);
  const tag = `canary-${code.commit}`;
  const there = await taggedImage(imageRepository, tag, workspace.env);
  if (there !== undefined) return there;
  return withCode(code, workspace, build, async (cwd) => {
    const state = mkdtempSync(join(tmpdir(), "services-canary-state-"));
    try {
      // The real state of the stack `staging` must not name the image of a branch. So this build
      // uses a temporary backend. The function deletes the backend at the end.
      const env = { PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE: "" };
      const its = withEnv({ ...workspace, cwd }, env);
      await createStack(builder, "passphrase", its);
      const imageRef = await pushImage(await resolveTarget(builder, its));
      await addTag(imageRef, tag, { env: workspace.env });
      return imageRef;
    } finally {
      rmSync(state, { force: true, recursive: true });
    }
  });
}

/**
 * Calls `work` with a directory that contains the files of this checkout. Only the code and the
 * jars of the service come from the given commit. The program, the Maven build and the Dockerfile
 * come from main. Uses the jars in the checkout if someone has built these jars from the same code.
 */
async function withCode<Result>(
  { commit }: Code,
  workspace: Workspace,
  build: BuildJars,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  return inWorktree(workspace, async (directory) => {
    // When git writes the files of the commit, it does not remove those files of main that the
    // commit does not have.
    rmSync(join(directory, codeDirectory), { force: true, recursive: true });
    await takeFiles(directory, { commit, files: [codeDirectory] });
    const jars = join(workspace.cwd, contextDirectory);
    if (builtFrom(jars) === contentHash(directory)) {
      await copied(jars, join(directory, contextDirectory));
    } else await build(directory);
    return work(directory);
  });
}

/**
 * Copies a directory. Keeps the times and the modes of the copied files, because an image layer
 * contains both.
 */
async function copied(from: string, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true });
  await command("cp", ["-a", from, to], { timeout: 60_000 });
}
