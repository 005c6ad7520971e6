import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../../lib/command";
import { UserError } from "../../../lib/errors";
import { environment } from "../../../sandbox/environment";
import { isRunning } from "../../../sandbox/sandbox";
import { copyProject } from "../preview";
import { type Env } from "./comparison";

/** Review stack that the benchmarks change. */
export const stack = "review-bench";
export const namespace = `services-orders-${stack}`;

/** Largest number of jobs that the benchmarks can add to the stack. */
export const mostJobs = 2000;

/** Arguments for each `pulumi` command on the stack. */
export const at = ["--stack", stack, "--non-interactive"];

/** @throws UserError if the sandbox is not running. */
export function assertRunning(): void {
  if (isRunning()) return;
  throw new UserError(
    "the sandbox is not running, so there is nothing to measure; start it with: npm run up",
  );
}

/**
 * Copies the project to a directory, and makes the quota of review stacks large enough for the
 * additional jobs. Returns environment variables for `pulumi` commands on the stack. The stack uses
 * the image of stack `local`.
 */
export async function stackIn(cwd: string): Promise<Env> {
  const ref = ["stack", "output", "imageRef", "--stack", "local"];
  const imageRef = (await command("pulumi", ref, { env: environment(), timeout: 60_000 })).trim();
  copyProject(cwd);
  const file = join(cwd, "components", "conventions", "defaults.ts");
  const limit = /("count\/cronjobs\.batch": )"\d+"/;
  writeFileSync(file, readFileSync(file, "utf8").replace(limit, `$1"${String(mostJobs + 100)}"`));
  return {
    ...environment(),
    RELEASE_BRANCH: "bench",
    RELEASE_IMAGE_REF: imageRef,
    SANDBOX_REQUESTS: JSON.stringify({ cpu: "20m", memory: "384Mi" }),
  };
}

/** Deletes namespaces that the benchmark has created. */
export async function deleteNamespaces(env: Env, ...names: readonly string[]): Promise<void> {
  const which = [...names, "--ignore-not-found", "--timeout=300s"];
  await command("kubectl", ["delete", "namespace", ...which], { env, timeout: 320_000 });
}
