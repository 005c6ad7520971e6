import { spawnSync } from "node:child_process";
import { project } from "../lib/project";
import { duration } from "../lib/time";
import { messageOf, UserError } from "../lib/errors";
import { checkMaven, maven } from "./build";

/** Runs a program of an npm package. Returns true if the exit code is 0. */
function npx(...args: readonly string[]): boolean {
  const { status } = spawnSync("npx", ["--no-install", ...args], {
    cwd: project,
    stdio: "inherit",
  });
  return status === 0;
}

/** Runs a check and prints its findings. Returns true if the check finds nothing. */
async function passes(check: () => Promise<void>): Promise<boolean> {
  const issues = await check().catch((error: unknown) => error);
  if (issues !== undefined) console.log(issues instanceof UserError ? issues.message : issues);
  return issues === undefined;
}

/**
 * Checks or corrects the format of the Java files. Without Maven, this function only prints a
 * message, because the job that runs `npm run check` in CI has no Java. In CI,
 * `npm run test:service` checks the format of these files.
 *
 * @returns true if the format is good, or if this machine has no Maven
 */
async function formatJava(goal: "apply" | "check"): Promise<boolean> {
  try {
    await checkMaven();
  } catch (error) {
    console.log(`Format of Java: skipped, because ${messageOf(error)}`);
    return true;
  }
  const problem = `Maven failed to ${goal} the format of service/src`;
  return passes(async () => maven([`spotless:${goal}`], () => undefined, { problem }));
}

const checks: readonly (readonly [what: string, run: () => boolean | Promise<boolean>])[] = [
  ["types", () => npx("tsc", "--project", ".")],
  ["types of tools", () => npx("tsc", "--project", "tools")],
  ["lint", () => npx("eslint", "--max-warnings=0", ".")],
  ["arrows", () => npx("depcruise", "--config", "tools/arrows.cjs", ".")],
  ["unused", () => npx("knip")],
  ["format", () => npx("prettier", "--check", "--log-level=warn", ".")],
  ["format of Java", async () => formatJava("check")],
  ["pipelines", async () => passes((await import("../pipeline/check")).checkFiles)],
  [
    "migrations",
    async () => passes((await import("../operations/release/check-migrations")).checkMigrations),
  ],
  ["prose", async () => passes((await import("./prose/markdown")).checkMarkdown)],
];

/**
 * `npm run check`: runs all checks, or only the checks in `only`. If a check fails, the function
 * still runs the next checks.
 *
 * @param only names of the checks to run, such as `lint`. Empty: all checks.
 */
export async function check(only: readonly string[] = []): Promise<void> {
  const firstWord = (text: string) => text.split(" ")[0] ?? "";
  const names = checks.map(([what]) => firstWord(what));
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    const known = [...new Set(names)].join(", ");
    throw new UserError(`Unknown check "${unknown.join('", "')}". The checks are: ${known}`);
  }
  const failed: string[] = [];
  for (const [what, run] of checks) {
    if (only.length > 0 && !only.includes(firstWord(what))) continue;
    const started = Date.now();
    const isGood = await run();
    console.log(`${what}: ${isGood ? "good" : "FAILED"} (${duration(Date.now() - started)})`);
    if (!isGood) failed.push(what);
  }
  if (failed.length > 0) {
    const advice = failed.some((what) => firstWord(what) === "format")
      ? '; run "npm run format" to fix the format'
      : "";
    throw new UserError(`check failed: ${failed.join(", ")}${advice}`);
  }
}

/** `npm run format`: formats all files, so that the check `format` succeeds. */
export async function format(): Promise<void> {
  const isGood = npx("prettier", "--write", "--log-level=warn", ".");
  if (isGood && (await formatJava("apply"))) return;
  throw new UserError("format failed: a program could not read a file that it names above");
}
