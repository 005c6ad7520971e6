import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { policyOptions } from "../../operations/pulumi/run-pulumi";
import { project } from "../../lib/project";
import { command } from "../../lib/command";
import { environment } from "../../sandbox/environment";

const JOBS = 20;

export type Say = (detail: string) => void;

/**
 * Measures several functions, and returns the median of each in milliseconds, after a warm-up. The
 * functions run alternately, so that other work on the machine slows down all functions equally.
 */
async function medians<Name extends string>(
  runs: number,
  say: Say,
  work: Readonly<Record<Name, () => Promise<unknown>>>,
): Promise<Record<Name, number>> {
  const times = Object.entries<() => Promise<unknown>>(work).map(([name, run]) => ({
    name,
    run,
    took: [] as number[],
  }));
  for (let round = 0; round <= runs; round += 1) {
    say(round === 0 ? "warm-up" : `run ${String(round)} of ${String(runs)}`);
    for (const { run, took } of times) {
      const started = performance.now();
      await run();
      if (round > 0) took.push(performance.now() - started);
    }
  }
  return Object.fromEntries(
    times.map(({ name, took }) => [name, took.sort((a, b) => a - b)[Math.floor(runs / 2)]]),
  ) as Record<Name, number>;
}

/** Runs `work` in a temporary directory with a link to the project's npm packages. */
export async function inTemporaryDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-bench-"));
  const remove = (): void => {
    rmSync(directory, { recursive: true, force: true });
  };
  const stop = (): void => process.exit(1);
  process.once("exit", remove).once("SIGINT", stop).once("SIGTERM", stop);
  try {
    symlinkSync(join(project, "node_modules"), join(directory, "node_modules"));
    return await work(directory);
  } finally {
    remove();
    process.off("exit", remove).off("SIGINT", stop).off("SIGTERM", stop);
  }
}

/** Measures a preview of stack `local` without changes, and a preview of a one-line program. */
export async function measurePreviews(
  runs: number,
  say: Say,
): Promise<Record<"oneLine" | "ours", number>> {
  return inTemporaryDirectory(async (directory) => {
    const ours = { cwd: project, env: environment(), timeout: 120_000 };
    const oneLine = { ...ours, cwd: directory, env: await oneLineProgram(directory) };
    const preview = ["preview", "--stack", "local", "--non-interactive"];
    return medians(runs, say, {
      // Stack `local` must be up to date, because a preview with changes takes longer. The preview
      // of the one-line program shows a change, because no one has deployed this program.
      ours: async () => command("pulumi", [...preview, "--expect-no-changes"], ours),
      oneLine: async () => command("pulumi", preview, oneLine),
    });
  });
}

/**
 * Creates a one-line Pulumi program without resources. The program uses the same engine and
 * packages as this project, and a separate state.
 *
 * @returns the environment variables with which the benchmark must run the program
 */
async function oneLineProgram(cwd: string): Promise<Record<string, string>> {
  writeFileSync(join(cwd, "Pulumi.yaml"), "name: bench-one-line\nruntime: nodejs\n");
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ main: "index.js" }));
  writeFileSync(join(cwd, "index.js"), "exports.one = 1;\n");
  const state = join(cwd, "state");
  mkdirSync(state);
  const env = { ...environment(), PULUMI_BACKEND_URL: `file://${state}` };
  const init = ["stack", "init", "local", "--non-interactive"];
  await command("pulumi", init, { cwd, env, timeout: 60_000 });
  return env;
}

/** Copies the project, without its npm packages, to a directory. */
export function copyProject(directory: string): void {
  for (const entry of readdirSync(project).filter((name) => name !== "node_modules")) {
    cpSync(join(project, entry), join(directory, entry), {
      preserveTimestamps: true,
      recursive: true,
    });
  }
}

/**
 * Adds jobs to the file `jobs.ts` of a copy of the project. The new jobs replace the jobs that an
 * earlier call of this function has added.
 *
 * @param hour - hour at which each job starts
 */
export function addJobs(directory: string, count: number, hour: (n: number) => number): void {
  const entries = Array.from(
    { length: count },
    (_, n) =>
      `  { name: "bench-${String(n)}", args: ["expire-unpaid", "--older-than", "48h"], schedule: "${String(n % 60)} ${String(hour(n))} * * *" },\n`,
  );
  const start = "export const jobs: readonly Job[] = [\n";
  const code = readFileSync(join(project, "jobs.ts"), "utf8");
  writeFileSync(join(directory, "jobs.ts"), code.replace(start, start + entries.join("")));
}

/** Copies the project to a directory, and adds jobs until the copy has {@link JOBS} jobs. */
function copyWithJobs(directory: string): void {
  copyProject(directory);
  const code = readFileSync(join(project, "jobs.ts"), "utf8");
  const there = code.match(/^ {4}name: /gm)?.length ?? 0;
  addJobs(directory, JOBS - there, () => 4);
}

/**
 * Measures `pulumi preview --diff` and `npm run preview`. Only `npm run preview` prints the
 * summary.
 */
export async function measureSummary(
  runs: number,
  say: Say,
): Promise<Record<"ours" | "plain", number>> {
  return inTemporaryDirectory(async (cwd) => {
    copyWithJobs(cwd);
    const options = { cwd, env: environment(), timeout: 120_000 };
    const diff = ["preview", "--diff", "--stack", "local", "--non-interactive"];
    const plain = [...diff, ...policyOptions(options)];
    return medians(runs, say, {
      plain: async () => command("pulumi", plain, options),
      ours: async () => command(process.execPath, ["cli/entry.mjs", "preview", "local"], options),
    });
  });
}
