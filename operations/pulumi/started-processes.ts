import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { service } from "../../config/service";
import { runs, startTime } from "../../lib/processes";
import { replaceFile } from "../../lib/replace";

/** The process that holds a lock, from the fields that Pulumi writes into the lock. */
export interface LockOwner {
  readonly hostname: string;
  readonly pid: number;
  readonly timestamp: string;
  readonly username: string;
}

interface Started {
  /** Time at which Pulumi started, in milliseconds since 1970. */
  readonly at: number;
  readonly pid: number;
  /** Stack and state backend, as returned by {@link placeOf}. */
  readonly place: string;
  readonly startTime?: string | undefined;
}

/**
 * Returns the directory with the records of started processes, inside this user's Pulumi directory.
 */
function directory(): string {
  return join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), service, "started");
}

/** Returns a text that identifies a stack and its state backend. */
export const placeOf = (stack: string, backendUrl: string): string => `${stack} ${backendUrl}`;

/**
 * Records that this machine has started a Pulumi process. A lock in the state backend contains the
 * name of a host and a process id, but another machine may have the same host name. Only the record
 * proves that a process of this machine took the lock. If the state backend is in local files, the
 * function writes no record, because no other machine uses these files.
 *
 * @returns a function that the caller must call when Pulumi has ended. The returned function
 * deletes the record. If Pulumi was killed (SIGKILL), the returned function does not delete the
 * record, because the lock of a killed process remains.
 */
export function rememberStarted(
  pid: number,
  args: readonly string[],
  backendUrl = "",
): (signal: NodeJS.Signals | null) => void {
  const at = args.indexOf("--stack");
  if (at === -1 || !backendUrl.startsWith("s3://")) return () => undefined;
  const file = join(directory(), `${String(pid)}.json`);
  const place = placeOf(args[at + 1] ?? "", backendUrl);
  const started: Started = { at: Date.now(), pid, place, startTime: startTime(pid) };
  mkdirSync(directory(), { recursive: true });
  replaceFile(file, JSON.stringify(started));
  return (signal) => {
    if (signal !== "SIGKILL") rmSync(file, { force: true });
  };
}

/** Longest time from Pulumi's start until Pulumi takes the lock, in milliseconds. */
const startMs = 600_000;

/**
 * Whether a recorded process took a lock: the lock has the same process id, and the process started
 * at most ten minutes before the time in the lock.
 */
export function tookSoonAfter(
  { at, pid }: Pick<Started, "at" | "pid">,
  lock: Pick<LockOwner, "pid" | "timestamp">,
): boolean {
  const since = Date.parse(lock.timestamp);
  // The time in the lock has no fraction of a second. So the time in the lock may be up to a second
  // before the start of the process.
  return pid === lock.pid && since > at - 1000 && since < at + startMs;
}

/**
 * The killed Pulumi processes of one stack. This machine has started these processes, and their
 * records still exist.
 */
export class KilledHere {
  readonly #killed: readonly Started[];

  /** @param place - stack and state backend, as returned by {@link placeOf} */
  constructor(place: string) {
    this.#killed = readStarted().filter(
      (one) => one.place === place && !runs(one.pid, one.startTime),
    );
  }

  get none(): boolean {
    return this.#killed.length === 0;
  }

  /** Whether one of these processes took this lock. */
  took(lock: LockOwner): boolean {
    return lock.hostname === hostname() && this.#killed.some((one) => tookSoonAfter(one, lock));
  }

  /**
   * Deletes the records of these processes. The caller must first remove the locks of these
   * processes.
   */
  forget(): void {
    for (const { pid } of this.#killed) {
      rmSync(join(directory(), `${String(pid)}.json`), { force: true });
    }
  }
}

function readStarted(): readonly Started[] {
  if (!existsSync(directory())) return [];
  const names = readdirSync(directory()).filter((name) => name.endsWith(".json"));
  return names.flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(directory(), name), "utf8")) as Started];
    } catch {
      // For example, another command removed this file after this function had listed the
      // directory.
      return [];
    }
  });
}
