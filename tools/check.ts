import { spawnSync } from "node:child_process";
import { project } from "../lib/project";
import { duration } from "../lib/time";
import { UserError } from "../lib/errors";

/** `npm run check`: runs every check, also when an earlier one fails. */
export async function check(): Promise<void> {
  const checks: [string, string[]][] = [
    ["types", ["tsc", "--project", "."]],
    ["types of tools", ["tsc", "--project", "tools"]],
    ["lint", ["eslint", "--max-warnings=0", "."]],
    ["arrows", ["depcruise", "--config", "tools/arrows.cjs", "."]],
    ["unused", ["knip"]],
    ["format", ["prettier", "--check", "--log-level=warn", "."]],
  ];
  const failed: string[] = [];
  for (const [what, [program = "", ...args]] of checks) {
    const started = Date.now();
    const { status } = spawnSync("npx", ["--no-install", program, ...args], {
      cwd: project,
      stdio: "inherit",
    });
    console.log(`${what}: ${status === 0 ? "good" : "FAILED"} (${duration(Date.now() - started)})`);
    if (status !== 0) {
      failed.push(what);
    }
  }
  const started = Date.now();
  const { checkFiles } = await import("../pipeline/check");
  const faults = await checkFiles().catch((error: unknown) => error);
  if (faults !== undefined) {
    console.log(faults instanceof UserError ? faults.message : faults);
    failed.push("pipelines");
  }
  console.log(
    `pipelines: ${faults === undefined ? "good" : "FAILED"} (${duration(Date.now() - started)})`,
  );
  if (failed.length > 0) {
    throw new UserError(
      `check failed: ${failed.join(", ")}; "npx prettier --write ." mends the format`,
    );
  }
}
