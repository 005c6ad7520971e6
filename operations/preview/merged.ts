import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mainBranch } from "../../components/conventions/ci-roles";
import {
  builtFrom,
  contentHash,
  contextDirectory,
} from "../../components/conventions/content-hash";
import { service } from "../../config/service";
import { commitsBetween, currentBranch, mergedWith, remoteTip } from "../clients/git";
import { inWorktree } from "../clients/worktree";
import { type Workspace, variables } from "../pulumi/run-pulumi";

/**
 * The workspace of a preview, and notes that say how the code in the workspace differs from the
 * branch or from `main`.
 */
export interface Place {
  readonly notes: readonly string[];
  readonly workspace: Workspace;
}

/**
 * Runs `work` on the code that `main` will have after the merge of this branch. Without the merge,
 * the preview of a branch that is behind `main` would show the newer changes of `main` as removed.
 * The merge is in a separate worktree, so the branch, the index and the working directory do not
 * change.
 *
 * If the merge is not possible, `work` runs on the branch, and a note contains the reason.
 */
export async function asMerged<T>(
  given: Workspace,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const main = await remoteTip(mainBranch, given);
  const behind = main === undefined ? [] : ((await commitsBetween("HEAD", main, given)) ?? []);
  if (main === undefined || behind.length === 0) return work({ notes: [], workspace: given });
  const commits = behind.length === 1 ? "1 commit" : `${String(behind.length)} commits`;
  const much = `${commits} behind ${mainBranch} (${main.slice(0, 7)})`;
  // A pipeline of `main` deploys the commit that started the pipeline, so the pipeline's preview
  // uses this commit and not a newer one.
  if ((variables(given)["CIRCLE_BRANCH"] ?? (await currentBranch(given))) === mainBranch) {
    return work({
      notes: [`this code is ${much}: the preview does not include the newer code of ${mainBranch}`],
      workspace: given,
    });
  }
  const notMerged = async (why: string): Promise<T> => {
    const note = `this code is ${much}, and cannot be merged here: ${why}. The preview shows the newer changes of ${mainBranch} as removed. Merge ${mainBranch} into the branch first.`;
    return work({ notes: [note], workspace: given });
  };
  const merge = await mergedWith(main, given);
  if (merge === undefined) return notMerged("git 2.38 or newer is needed");
  if (merge.commit === undefined) return notMerged(`conflict in ${merge.conflicts.join(", ")}`);
  const inMerge = async (directory: string): Promise<T> => {
    if (!isSameFile("package-lock.json", directory, given.cwd)) {
      return notMerged("the merged code needs other npm packages");
    }
    const notes = [
      `this code is ${much}: the preview shows this code merged with ${mainBranch}`,
      ...jars(directory, given),
    ];
    return work({ notes, workspace: { ...given, cwd: directory } });
  };
  return inWorktree(given, inMerge, merge.commit);
}

function isSameFile(name: string, one: string, other: string): boolean {
  return readFileSync(join(one, name)).equals(readFileSync(join(other, name)));
}

/**
 * Adds the directory with the service's jar to the merged code. If the jar on this machine was not
 * built from the merged code, the added jar is an empty file. A preview builds no image, and reads
 * only the name of the jar.
 *
 * @returns a note if the jar on this machine was not built from the merged code
 */
function jars(directory: string, { cwd }: Workspace): readonly string[] {
  const target = join(directory, contextDirectory);
  mkdirSync(dirname(target), { recursive: true });
  const hash = contentHash(directory);
  if (builtFrom(join(cwd, contextDirectory)) === hash) {
    symlinkSync(join(cwd, contextDirectory), target);
    return [];
  }
  mkdirSync(target);
  writeFileSync(join(target, `${service}-${hash}.jar`), "");
  return [
    "the service's jar on this machine was not built from the merged code, so the preview may show a new image",
  ];
}
