import { type Engine, ambient, withEnv } from "../operations/pulumi/engine";

/** Pulumi as the shell has it; for stack `local`, where the shell names no backend, as the sandbox has it. */
export async function sandboxFor(stack: string): Promise<Engine> {
  if (stack !== "local" || process.env["PULUMI_BACKEND_URL"] !== undefined) return ambient;
  const { environment } = await import("../sandbox/environment");
  return withEnv(ambient, environment());
}
