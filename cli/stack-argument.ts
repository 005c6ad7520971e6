import type { Workspace } from "../operations/pulumi/run-pulumi";

/**
 * Returns the workspace for a command on a stack, with the shell's environment variables. For stack
 * `local`, the workspace uses the backend and the cluster of the sandbox, or of the developer's own
 * cluster, unless PULUMI_BACKEND_URL is set.
 */
export async function workspaceFor(stack: string): Promise<Workspace> {
  const { defaultWorkspace, withEnv } = await import("../operations/pulumi/run-pulumi");
  if (stack !== "local" || process.env["PULUMI_BACKEND_URL"] !== undefined) return defaultWorkspace;
  const { localEnvironment } = await import("../sandbox/own-cluster/environment");
  return withEnv(defaultWorkspace, localEnvironment());
}

/** Returns the name of a stack. `review` means the review stack of the current branch. */
export async function stackNameOf(given: string): Promise<string> {
  if (given !== "review") return given;
  const { currentBranch } = await import("../operations/clients/git");
  const { stackNamed } = await import("../operations/stacks/review-stack");
  return stackNamed(given, process.env, (await currentBranch()) ?? "");
}
