import { type Workspace, defaultWorkspace, withEnv } from "../operations/pulumi/run-pulumi";

/**
 * Pulumi with the shell's settings. For stack `local`, if the shell names no backend, with the
 * sandbox's.
 */
export async function sandboxFor(stack: string): Promise<Workspace> {
  if (stack !== "local" || process.env["PULUMI_BACKEND_URL"] !== undefined) return defaultWorkspace;
  const { environment } = await import("../sandbox/environment");
  return withEnv(defaultWorkspace, environment());
}
