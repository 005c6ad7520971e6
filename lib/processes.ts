import { existsSync, readFileSync } from "node:fs";

/**
 * Returns the start time of a process, in clock ticks since the machine started. Undefined if no
 * running process has this id, or if the machine has no `/proc`.
 */
export function startTime(pid: number): string | undefined {
  try {
    const [state, ...fields] = statOf(String(pid));
    return state === "Z" || state === "X" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/**
 * Reads `/proc/PID/stat`. Returns the fields after the name of the program: first the state of the
 * process.
 */
function statOf(pid: string): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name is in parentheses, and can contain spaces and parentheses.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Milliseconds in a clock tick of `/proc`. Linux uses this value on every machine. */
const msPerTick = 10;

/**
 * Returns the CPU time of the child processes that have ended, in milliseconds. The time includes
 * their own children that have ended. Undefined if the machine has no `/proc`.
 */
export function cpuOfEndedChildren(): number | undefined {
  try {
    const [, ...fields] = statOf("self");
    return (Number(fields[12]) + Number(fields[13])) * msPerTick;
  } catch {
    return undefined;
  }
}

/**
 * Whether a process runs. Pass `started` to exclude a later process with the same id.
 *
 * @param started - the process's start time, from {@link startTime}. On a machine without `/proc`,
 * the function ignores this time
 */
export function runs(pid: number, started?: string): boolean {
  const now = startTime(pid);
  if (now !== undefined) return started === undefined || now === started;
  // On a machine with /proc, a process without a start time has ended, or is a zombie that its
  // parent has not reaped.
  if (existsSync("/proc/self/stat")) return false;
  try {
    // macOS has no /proc. Signal 0 only checks whether the process exists.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
