import { existsSync, readFileSync } from "node:fs";

/**
 * Returns the start time of a process, in clock ticks since the machine started. Undefined if no
 * process has this id.
 */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/**
 * Whether a process runs. Pass `started` to exclude a later process with the same id.
 *
 * @param started - the process's start time, which {@link startTime} returns
 */
export function runs(pid: number, started?: string): boolean {
  const now = startTime(pid);
  if (now !== undefined) return started === undefined || now === started;
  // If the machine has /proc, the process has ended, or is a zombie that its parent has not reaped.
  if (existsSync("/proc/self/stat")) return false;
  try {
    // macOS has no /proc. Signal 0 only checks whether the process exists.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
