import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Workspace } from "../pulumi/run-pulumi";
import { addWorktree, removeWorktree } from "./git";

/**
 * Does work in a second working directory, which has the npm packages of the first one. It is
 * removed when the work ends, also if this process ends first.
 *
 * @param commit - by default the one that is checked out
 */
export async function inWorktree<Result>(
  workspace: Workspace,
  work: (directory: string) => Promise<Result>,
  commit?: string,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), "services-worktree-"));
  const remove = (): void => {
    rmSync(directory, { force: true, recursive: true });
  };
  process.once("exit", remove);
  try {
    await addWorktree(directory, workspace, commit);
    try {
      symlinkSync(join(workspace.cwd, "node_modules"), join(directory, "node_modules"));
      return await work(directory);
    } finally {
      await removeWorktree(directory, workspace);
    }
  } finally {
    remove();
    process.off("exit", remove);
  }
}
