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
  const { checkFiles } = await import("../pipeline/check");
  const { checkMarkdown } = await import("./prose/markdown");
  for (const [what, run] of [
    ["pipelines", checkFiles],
    ["prose", checkMarkdown],
  ] as const) {
    const started = Date.now();
    const issues = await run().catch((error: unknown) => error);
    if (issues !== undefined) {
      console.log(issues instanceof UserError ? issues.message : issues);
      failed.push(what);
    }
    const result = issues === undefined ? "good" : "FAILED";
    console.log(`${what}: ${result} (${duration(Date.now() - started)})`);
  }
  if (failed.length > 0) {
    throw new UserError(
      `check failed: ${failed.join(", ")}; "npx prettier --write ." fixes the format`,
    );
  }
}
