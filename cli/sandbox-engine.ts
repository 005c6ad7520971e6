import { type Engine, ambient, withEnv } from "../operations/pulumi/engine";

/**
 * Pulumi with the shell's settings. For stack `local`, if the shell names no backend, with the
 * sandbox's.
 */
export async function sandboxFor(stack: string): Promise<Engine> {
  if (stack !== "local" || process.env["PULUMI_BACKEND_URL"] !== undefined) return ambient;
  const { environment } = await import("../sandbox/environment");
  return withEnv(ambient, environment());
}
