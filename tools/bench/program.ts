import { join } from "node:path";
import { project } from "../../lib/project";
import { command } from "../../lib/command";

const MIB = 1024 ** 2;

/** Time and peak memory of one process. */
interface Load {
  readonly mib: number;
  readonly milliseconds: number;
}

/**
 * Measures processes that run load.ts. Returns the shortest time and the highest memory for each
 * argument. The shortest time is the most reliable value, because other work on the machine can
 * only make runs slower.
 */
export async function measureLoads(
  times: number,
  say: (detail: string) => void,
): Promise<Record<"import" | "program" | "many", Load>> {
  const runs: Record<"import" | "program" | "many", Load[]> = { import: [], program: [], many: [] };
  for (let run = 0; run <= times; run += 1) {
    for (const what of ["import", "program", "many"] as const) {
      say(run === 0 ? `warm-up: ${what}` : `run ${String(run)} of ${String(times)}: ${what}`);
      const args = ["--import", "tsx", join(project, "tools", "bench", "load.ts"), what];
      const said = await command(process.execPath, args, { cwd: project, timeout: 120_000 });
      const { maxRssKiB, milliseconds } = JSON.parse(said) as {
        maxRssKiB: number;
        milliseconds: number;
      };
      if (run > 0) runs[what].push({ mib: (maxRssKiB * 1024) / MIB, milliseconds });
    }
  }
  const least = (loads: readonly Load[]): Load => ({
    mib: Math.max(...loads.map(({ mib }) => mib)),
    milliseconds: Math.min(...loads.map(({ milliseconds }) => milliseconds)),
  });
  return { import: least(runs.import), program: least(runs.program), many: least(runs.many) };
}
