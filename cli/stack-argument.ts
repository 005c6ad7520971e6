import type { Workspace } from "../operations/pulumi/run-pulumi";

/**
 * Returns the workspace for a command on a stack, with the shell's environment variables. For stack
 * `local`, the workspace uses the sandbox's backend and cluster, unless PULUMI_BACKEND_URL is set.
 */
export async function workspaceFor(stack: string): Promise<Workspace> {
  const { defaultWorkspace, withEnv } = await import("../operations/pulumi/run-pulumi");
  if (stack !== "local" || process.env["PULUMI_BACKEND_URL"] !== undefined) return defaultWorkspace;
  const { environment } = await import("../sandbox/environment");
  return withEnv(defaultWorkspace, environment());
}

/** Returns the name of a stack. `review` means the review stack of the current branch. */
export async function stackNameOf(given: string): Promise<string> {
  if (given !== "review") return given;
  const { currentBranch } = await import("../operations/clients/git");
  const { stackNamed } = await import("../operations/stacks/review-stack");
  return stackNamed(given, process.env, (await currentBranch()) ?? "");
}
