import { spawnSync } from "node:child_process";
import { project } from "../lib/project";
import { duration } from "../lib/time";
import { UserError } from "../lib/errors";

/**
 * `npm run check`: runs every check, also when an earlier one fails.
 *
 * @param only first words of the checks that are wanted, when not all are
 */
export async function check(only: readonly string[] = []): Promise<void> {
  const firstWord = (text: string) => text.split(" ")[0] ?? "";
  const isWanted = (what: string) => only.length === 0 || only.includes(firstWord(what));
  const all: [string, string[]][] = [
    ["types", ["tsc", "--project", "."]],
    ["types of tools", ["tsc", "--project", "tools"]],
    ["lint", ["eslint", "--max-warnings=0", "."]],
    ["arrows", ["depcruise", "--config", "tools/arrows.cjs", "."]],
    ["unused", ["knip"]],
    ["format", ["prettier", "--check", "--log-level=warn", "."]],
  ];
  const names = [...all.map(([what]) => firstWord(what)), "pipelines", "prose"];
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    const known = [...new Set(names)].join(", ");
    throw new UserError(`Unknown check "${unknown.join('", "')}". The checks are: ${known}`);
  }
  const checks = all.filter(([what]) => isWanted(what));
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
    if (!isWanted(what)) continue;
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
    const advice = failed.includes("format") ? '; run "npm run format" to fix the format' : "";
    throw new UserError(`check failed: ${failed.join(", ")}${advice}`);
  }
}

/** `npm run format`: writes the format that `check` asks for. */
export function format(): void {
  const args = ["--no-install", "prettier", "--write", "--log-level=warn", "."];
  if (spawnSync("npx", args, { cwd: project, stdio: "inherit" }).status === 0) return;
  throw new UserError("format failed: prettier could not read a file that it names above");
}
