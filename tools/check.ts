import { inspect } from "node:util";
import { execa } from "execa";
import { project } from "../lib/project";
import { duration } from "../lib/time";
import { messageOf, UserError } from "../lib/errors";
import { checkMaven, maven } from "./build";

/** The result of a check, with the text that the check has printed. */
interface Result {
  readonly isGood: boolean;
  readonly output: string;
}

/** Whether programs may print colored output. This command reads the output and prints it again. */
const isColored = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";

/** Runs a program of an npm package. The result is good if the exit code is 0. */
async function npx(...args: readonly string[]): Promise<Result> {
  const { all, exitCode } = await execa("npx", ["--no-install", ...args], {
    all: true,
    cwd: project,
    env: isColored ? { FORCE_COLOR: "1" } : {},
    reject: false,
  });
  return { isGood: exitCode === 0, output: all };
}

/** Runs a check of this project. The result is good if the check throws no error. */
async function passes(check: () => Promise<void>): Promise<Result> {
  try {
    await check();
    return { isGood: true, output: "" };
  } catch (error) {
    return { isGood: false, output: error instanceof UserError ? error.message : inspect(error) };
  }
}

/**
 * Checks or corrects the format of the Java files. Without Maven, the result is good and has a
 * message, because the job that runs `npm run check` in CI has no Java. In CI,
 * `npm run test:service` checks the format of these files.
 */
async function formatJava(goal: "apply" | "check"): Promise<Result> {
  try {
    await checkMaven();
  } catch (error) {
    return { isGood: true, output: `Format of Java: skipped, because ${messageOf(error)}` };
  }
  const problem = `Maven failed to ${goal} the format of service/src`;
  return passes(async () => maven([`spotless:${goal}`], () => undefined, { problem }));
}

/**
 * Number of checks that run at the same time. Most checks use one core, and the machines of CI have
 * two cores.
 */
const atATime = 2;

/** The checks. `lint` is the first check, because `lint` takes the longest time. */
const checks: readonly (readonly [what: string, run: () => Promise<Result>])[] = [
  ["lint", async () => npx("eslint", "--max-warnings=0", ".")],
  ["types", async () => npx("tsc", "--project", ".")],
  ["types of tools", async () => npx("tsc", "--project", "tools")],
  ["arrows", async () => npx("depcruise", "--config", "tools/arrows.cjs", ".")],
  ["unused", async () => npx("knip")],
  ["format", async () => npx("prettier", "--check", "--log-level=warn", ".")],
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
 * still runs the next checks. Prints the output of a check when the check has ended.
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
  const chosen = checks.filter(([what]) => only.length === 0 || only.includes(firstWord(what)));
  // Both lanes take their checks from this iterator, so each check runs once.
  const left = chosen.values();
  const lane = async (): Promise<void> => {
    for (const [what, run] of left) {
      const started = Date.now();
      const { isGood, output } = await run();
      if (output.trim() !== "") console.log(output.trimEnd());
      console.log(`${what}: ${isGood ? "good" : "FAILED"} (${duration(Date.now() - started)})`);
      if (!isGood) failed.push(what);
    }
  };
  console.log(`Checks: ${chosen.map(([what]) => what).join(", ")}`);
  await Promise.all(Array.from({ length: atATime }, lane));
  if (failed.length > 0) {
    const advice = failed.some((what) => firstWord(what) === "format")
      ? '; run "npm run format" to fix the format'
      : "";
    throw new UserError(`check failed: ${failed.join(", ")}${advice}`);
  }
}

/** `npm run format`: formats all files, so that the check `format` succeeds. */
export async function format(): Promise<void> {
  const files = await npx("prettier", "--write", "--log-level=warn", ".");
  const result = files.isGood ? await formatJava("apply") : files;
  if (result.output !== "") console.log(result.output);
  if (!result.isGood) {
    throw new UserError("format failed; see the errors above");
  }
}
