import type { Workspace } from "../operations/pulumi/run-pulumi";

/**
 * Returns the workspace for a command on a stack, with the shell's environment variables. If the
 * stack is `local` and PULUMI_BACKEND_URL is not set, the workspace uses the state backend of this
 * machine, and the sandbox or the developer's own cluster.
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
