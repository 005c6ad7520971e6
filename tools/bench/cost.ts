import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";

/** Duration of a command, and the peak memory of its largest process. */
export interface Cost {
  readonly mib: number;
  readonly milliseconds: number;
}

/** Runs and measures a command. The command may fail. Its timeout is 30 minutes. */
export async function measured(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Cost & { readonly exitCode: number | undefined; readonly output: string }> {
  const started = performance.now();
  const child = execa(file, args, { ...options, all: true, reject: false, timeout: 30 * 60_000 });
  let mib = 0;
  while (child.exitCode === null && child.signalCode === null) {
    mib = Math.max(mib, largest(child.pid ?? 0));
    await Promise.race([child, sleep(200)]);
  }
  const { all, exitCode } = await child;
  return { exitCode, mib, milliseconds: performance.now() - started, output: all };
}

/**
 * Reads the peak memory of a process and of each of its descendants. Returns the largest of these
 * values, in MiB.
 */
function largest(pid: number): number {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, "utf8");
        const field = (key: string): number =>
          Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
        return [{ parent: field("PPid"), peak: field("VmHWM"), pid: Number(name) }];
      } catch {
        return []; // The process has ended.
      }
    });
  const below = (one: number): number =>
    Math.max(
      all.find((each) => each.pid === one)?.peak ?? 0,
      ...all.filter(({ parent }) => parent === one).map((each) => below(each.pid)),
    );
  return below(pid) / 1024;
}
