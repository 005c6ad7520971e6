import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { service } from "../../config/service";
import { startTime } from "../../lib/processes";
import { type Engine, variables } from "./engine";
import { removeTornFiles, stateDirectory } from "./torn-files";

/** Directory of a stack's locks, where the state is in files. */
export function lockDirectory(stack: string, backendUrl: string | undefined): string | undefined {
  const state = stateDirectory(backendUrl);
  return state && join(state, ".pulumi", "locks", "organization", service, stack);
}

/**
 * Removes the locks of updates that were killed on this machine. A lock whose owner lives, or is on
 * another machine, stays: Pulumi then says who has it. Only state in files is looked at; elsewhere
 * no one can tell whether an owner lives.
 */
export function removeDeadLocks(stack: string, engine: Engine): void {
  const backendUrl = variables(engine)["PULUMI_BACKEND_URL"];
  removeTornFiles(backendUrl);
  const locks = lockDirectory(stack, backendUrl);
  if (locks === undefined || !existsSync(locks)) return;
  for (const file of readdirSync(locks).filter((name) => name.endsWith(".json"))) {
    const lock = JSON.parse(readFileSync(join(locks, file), "utf8")) as {
      pid: number;
      hostname: string;
    };
    if (lock.hostname !== hostname() || startTime(lock.pid) !== undefined) continue;
    console.log(
      `An earlier update (process ${String(lock.pid)}) was killed; carrying on from where it was`,
    );
    rmSync(join(locks, file));
  }
}
