import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { CommandError, command } from "../../lib/command";
import { runs } from "../../lib/processes";
import { type Workspace, variables } from "./run-pulumi";
import { KilledHere, type LockOwner, placeOf } from "./started-processes";
import { stateDirectory } from "./torn-files";

/** Path of a stack's locks below the state's directory or prefix. */
function lockPath(stack: string, { cwd }: Workspace): string {
  // The program of the service, or that of the platform.
  const { name } = parse(readFileSync(join(cwd, "Pulumi.yaml"), "utf8")) as { name: string };
  return [".pulumi", "locks", "organization", name, stack].join("/");
}

/**
 * Removes the locks of updates that were killed on this machine. A lock whose owner runs, or is on
 * another machine, stays: Pulumi then says who has it.
 */
export async function removeDeadLocks(stack: string, workspace: Workspace): Promise<void> {
  const backendUrl = variables(workspace)["PULUMI_BACKEND_URL"] ?? "";
  const state = stateDirectory(backendUrl);
  if (state !== undefined) removeLockFiles(join(state, lockPath(stack, workspace)));
  if (backendUrl.startsWith("s3://")) await removeLockObjects(stack, backendUrl, workspace);
}

function removeLockFiles(directory: string): void {
  if (!existsSync(directory)) return;
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".json"))) {
    const lock = JSON.parse(readFileSync(join(directory, file), "utf8")) as LockOwner;
    if (lock.hostname !== hostname() || runs(lock.pid)) continue;
    announce(lock);
    rmSync(join(directory, file));
  }
}

/** Asks S3 only if an update was killed here, because the AWS CLI takes a second to start. */
async function removeLockObjects(
  stack: string,
  backendUrl: string,
  workspace: Workspace,
): Promise<void> {
  const killed = new KilledHere(placeOf(stack, backendUrl));
  if (killed.none) return;
  const { host, pathname, searchParams } = new URL(backendUrl);
  const place = `s3://${[host, ...pathname.split("/").filter(Boolean), lockPath(stack, workspace)].join("/")}/`;
  const options = Object.entries({ "--endpoint-url": "endpoint", "--region": "region" }).flatMap(
    ([option, name]) => {
      const value = searchParams.get(name);
      return value === null ? [] : [option, value];
    },
  );
  const s3 = async (...args: readonly string[]): Promise<string> =>
    command("aws", ["s3", ...args, ...options], { env: workspace.env, timeout: 30_000 });
  // Without any object of this prefix, `ls` ends with an error and prints nothing.
  const found = await s3("ls", place).catch((error: unknown) =>
    error instanceof CommandError && error.output.trim() === "" ? "" : undefined,
  );
  // Without the AWS CLI or its rights: Pulumi says who has the lock, if there is one.
  if (found === undefined) return;
  for (const name of found.match(/\S+\.json$/gm) ?? []) {
    const lock = JSON.parse(await s3("cp", `${place}${name}`, "-")) as LockOwner;
    if (!killed.took(lock)) continue;
    announce(lock);
    await s3("rm", `${place}${name}`);
  }
  killed.forget();
}

function announce({ pid }: LockOwner): void {
  console.log(
    `An earlier update (process ${String(pid)}) was killed: this command continues from there`,
  );
}
