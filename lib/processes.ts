import { existsSync, readFileSync } from "node:fs";

/** Start time (clock ticks since boot) of a process. Undefined if there is no such process. */
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
 * Whether a process runs.
 *
 * @param started - its start time. Another process that later received the same id is not this one.
 */
export function runs(pid: number, started?: string): boolean {
  const now = startTime(pid);
  if (now !== undefined) return started === undefined || now === started;
  // A process that has ended counts as gone, even if its parent has not yet read its exit code.
  if (existsSync("/proc/self/stat")) return false;
  try {
    // macOS has no /proc.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
