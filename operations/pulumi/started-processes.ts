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

/** Directory of the records, inside this user's Pulumi directory. */
function directory(): string {
  return join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), service, "started");
}

/** Returns a text that identifies a stack and its state backend. */
export const placeOf = (stack: string, backendUrl: string): string => `${stack} ${backendUrl}`;

/**
 * Records that this machine has started a Pulumi process. A lock in the state backend names a host
 * and a process, but another machine may have the same name. Only this record proves that a process
 * of this machine took the lock. Machines do not share a backend in local files, so there is no
 * record for such a backend.
 *
 * @returns a function to call when Pulumi has ended. The function deletes the record, unless Pulumi
 * was killed (SIGKILL), because a killed Pulumi leaves its lock.
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
 * Whether a recorded process may have taken a lock: the lock has the same process id, and the time
 * of the lock is soon after the start of the process.
 */
export function tookSoonAfter(
  { at, pid }: Pick<Started, "at" | "pid">,
  lock: Pick<LockOwner, "pid" | "timestamp">,
): boolean {
  const since = Date.parse(lock.timestamp);
  // The time in the lock has no fraction of a second. So this time may be up to a second before the
  // start.
  return pid === lock.pid && since > at - 1000 && since < at + startMs;
}

/** Pulumi processes that changed one stack and were killed on this machine. */
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

  /** Deletes the records of these processes, after their locks were removed. */
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
      // Another command has just removed this file.
      return [];
    }
  });
}
