import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { service } from "../../config/service";
import { runs, startTime } from "../../lib/processes";

/** What Pulumi writes into a lock. */
export interface LockOwner {
  readonly hostname: string;
  readonly pid: number;
  readonly timestamp: string;
}

interface Started {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly pid: number;
  readonly startTime?: string | undefined;
}

/** Next to what Pulumi itself keeps for this user. */
function directory(): string {
  return join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), service, "started");
}

/**
 * Remembers that this machine has started Pulumi, until it ends. A lock in the state names a host
 * and a process, but another machine may have the same name. Only this record proves that the lock
 * was taken here.
 *
 * @returns a function that forgets it, unless Pulumi was killed: then its lock is left.
 */
export function rememberStarted(pid: number): (signal: NodeJS.Signals | null) => void {
  const file = join(directory(), `${String(pid)}.json`);
  const started: Started = { at: Date.now(), pid, startTime: startTime(pid) };
  mkdirSync(directory(), { recursive: true });
  writeFileSync(file, JSON.stringify(started));
  return (signal) => {
    if (signal !== "SIGKILL") rmSync(file, { force: true });
  };
}

/** Longest time between Pulumi's start and its lock. */
const startMs = 600_000;

/** Pulumi processes that were killed on this machine. */
export class KilledHere {
  readonly #killed: readonly Started[];

  constructor() {
    this.#killed = readStarted().filter(({ pid, startTime: at }) => !runs(pid, at));
  }

  get none(): boolean {
    return this.#killed.length === 0;
  }

  /** Whether one of these processes took this lock. */
  took({ hostname: host, pid, timestamp }: LockOwner): boolean {
    const since = Date.parse(timestamp);
    // Pulumi writes whole seconds.
    const isSoonAfter = ({ at }: Started): boolean => since > at - 1000 && since < at + startMs;
    return host === hostname() && this.#killed.some((one) => one.pid === pid && isSoonAfter(one));
  }
}

function readStarted(): readonly Started[] {
  if (!existsSync(directory())) return [];
  return readdirSync(directory()).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(directory(), name), "utf8")) as Started];
    } catch {
      // It was killed while it wrote this, or another command has just removed it.
      return [];
    }
  });
}
