import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Workspace } from "../pulumi/run-pulumi";
import { git } from "./git";

/**
 * Creates a second working directory, and calls `work` with the path of this directory. The second
 * directory uses the npm packages of the first directory. This function removes the second
 * directory when `work` has ended, or when this process exits.
 *
 * @param commit - commit in the second directory. Default: the checked-out commit
 */
export async function inWorktree<Result>(
  workspace: Workspace,
  work: (directory: string) => Promise<Result>,
  commit = "HEAD",
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), "services-worktree-"));
  const remove = (): void => {
    rmSync(directory, { force: true, recursive: true });
  };
  process.once("exit", remove);
  try {
    await git(["worktree", "add", "--quiet", "--detach", directory, commit], workspace);
    try {
      symlinkSync(join(workspace.cwd, "node_modules"), join(directory, "node_modules"));
      return await work(directory);
    } finally {
      await git(["worktree", "remove", "--force", directory], workspace);
    }
  } finally {
    remove();
    process.off("exit", remove);
  }
}

/** Replaces files in a working directory with the files of another commit. */
export async function takeFiles(
  directory: string,
  { commit, files }: { readonly commit: string; readonly files: readonly string[] },
): Promise<void> {
  await git(["checkout", "--quiet", commit, "--", ...files], { cwd: directory });
}
