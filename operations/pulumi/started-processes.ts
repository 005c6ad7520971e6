import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { service } from "../../config/service";
import { runs, startTime } from "../../lib/processes";
import { replaceFile } from "../../lib/replace";

/** What Pulumi writes into a lock. */
export interface LockOwner {
  readonly hostname: string;
  readonly pid: number;
  readonly timestamp: string;
  readonly username: string;
}

interface Started {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly pid: number;
  /** The stack in its state, as {@link placeOf} gives it. */
  readonly place: string;
  readonly startTime?: string | undefined;
}

/** Next to what Pulumi itself keeps for this user. */
function directory(): string {
  return join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), service, "started");
}

/** Names a stack and its state. */
export const placeOf = (stack: string, backendUrl: string): string => `${stack} ${backendUrl}`;

/**
 * Remembers that this machine has started Pulumi, until it ends. A lock in the state names a host
 * and a process, but another machine may have the same name. Only this record proves that the lock
 * was taken here. A state in files is not shared, and needs no record.
 *
 * @returns a function that forgets it, unless Pulumi was killed: then its lock is left.
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

/** Longest time between Pulumi's start and its lock. */
const startMs = 600_000;

/** Whether this may be the process that took the lock: its id, and a time soon after its start. */
export function tookSoonAfter(
  { at, pid }: Pick<Started, "at" | "pid">,
  lock: Pick<LockOwner, "pid" | "timestamp">,
): boolean {
  const since = Date.parse(lock.timestamp);
  // Pulumi writes whole seconds.
  return pid === lock.pid && since > at - 1000 && since < at + startMs;
}

/** Pulumi processes that changed one stack and were killed on this machine. */
export class KilledHere {
  readonly #killed: readonly Started[];

  /** @param place - as {@link placeOf} gives it */
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

  /** None of them has a lock any more. */
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
      // Another command has just removed it.
      return [];
    }
  });
}
