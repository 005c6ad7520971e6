import {
  cpSync,
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

/** A copy of the project with additional jobs. */
function copyWithJobs(directory: string): void {
  for (const entry of readdirSync(project).filter((name) => name !== "node_modules")) {
    cpSync(join(project, entry), join(directory, entry), {
      preserveTimestamps: true,
      recursive: true,
    });
  }
  symlinkSync(join(project, "node_modules"), join(directory, "node_modules"));
  const file = join(directory, "jobs.ts");
  const code = readFileSync(file, "utf8");
  const there = code.match(/^ {4}name: /gm)?.length ?? 0;
  const entries = Array.from(
    { length: JOBS - there },
    (_, n) =>
      `  { name: "bench-${String(n)}", args: ["expire-unpaid", "--older-than", "48h"], schedule: "${String(n)} 4 * * *" },\n`,
  );
  const start = "export const jobs: readonly Job[] = [\n";
  writeFileSync(file, code.replace(start, start + entries.join("")));
}

/** Medians in milliseconds: the engine alone, and with our summary. The two run in turn. */
export async function measureSummary(
  runs: number,
  say: (detail: string) => void,
): Promise<{ ours: number; plain: number }> {
  const cwd = mkdtempSync(join(tmpdir(), "services-orders-bench-"));
  try {
    copyWithJobs(cwd);
    const env = environment();
    const timed = async (file: string, args: readonly string[]): Promise<number> => {
      const started = performance.now();
      await command(file, args, { cwd, env, timeout: 120_000 });
      return performance.now() - started;
    };
    const plain: number[] = [];
    const ours: number[] = [];
    const diff = ["preview", "--diff", "--stack", "local", "--non-interactive"];
    for (let run = 0; run <= runs; run += 1) {
      say(run === 0 ? "warm-up" : `run ${String(run)} of ${String(runs)}`);
      plain.push(await timed("pulumi", [...diff, ...policyOptions({ cwd, env })]));
      ours.push(await timed(process.execPath, ["cli/entry.mjs", "preview", "local"]));
    }
    return { ours: median(ours.slice(1)), plain: median(plain.slice(1)) };
  } finally {
    rmSync(cwd, { force: true, recursive: true });
  }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
