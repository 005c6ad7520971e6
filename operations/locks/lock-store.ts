import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import type { LockOwner } from "../pulumi/started-processes";
import { stateDirectory } from "../pulumi/torn-files";

/** A lock of a stack, as Pulumi has stored it. */
export interface Lock {
  /** Name of its file or object: each Pulumi process chooses another one. */
  readonly file: string;
  readonly owner: LockOwner;
}

/** The locks of one stack, in the stack's state. */
export interface LockStore {
  /** Every lock that is there now. Pulumi works only if there is at most one. */
  readonly locks: () => Promise<readonly Lock[]>;
  /** Removes one lock. Does nothing if the lock is gone. */
  readonly remove: (lock: Lock) => Promise<void>;
}

/** A Pulumi project, and the state of its stacks. */
export interface StateOfProject {
  /** `PULUMI_BACKEND_URL`. */
  readonly backendUrl: string;
  /** Directory of `Pulumi.yaml`. */
  readonly cwd: string;
  /** Variables for the AWS CLI, in addition to those of this process. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Where Pulumi keeps the locks of a stack.
 *
 * @throws UserError if the state is neither in files nor in S3.
 * @see https://github.com/pulumi/pulumi/blob/v3.215.0/pkg/backend/diy/lock.go
 */
export function lockStore(stack: string, state: StateOfProject): LockStore {
  const { backendUrl, cwd } = state;
  // The program of the service, or that of the platform.
  const { name } = parse(readFileSync(join(cwd, "Pulumi.yaml"), "utf8")) as { name: string };
  const path = [".pulumi", "locks", "organization", name, stack].join("/");
  const directory = stateDirectory(backendUrl);
  if (directory !== undefined) return inFiles(join(directory, path));
  if (backendUrl.startsWith("s3://")) return inS3(path, state);
  throw new UserError(
    `PULUMI_BACKEND_URL must be the state's address, s3://... or file:///..., got "${backendUrl}": ` +
      "the locks of another state cannot be read. Nothing was changed.",
  );
}

function inFiles(directory: string): LockStore {
  return {
    locks: async () => Promise.resolve(locksIn(directory)),
    remove: async ({ file }) => {
      rmSync(join(directory, file), { force: true });
      return Promise.resolve();
    },
  };
}

function inS3(path: string, { backendUrl, env }: StateOfProject): LockStore {
  const { host, pathname, searchParams } = new URL(backendUrl);
  const place = `s3://${[host, ...pathname.split("/").filter(Boolean), path].join("/")}/`;
  const options = Object.entries({ "--endpoint-url": "endpoint", "--region": "region" }).flatMap(
    ([option, name]) => {
      const value = searchParams.get(name);
      return value === null ? [] : [option, value];
    },
  );
  const s3 = async (...args: readonly string[]): Promise<string> =>
    command("aws", ["s3", ...args, "--only-show-errors", ...options], { env, timeout: 30_000 });
  return {
    locks: async () => {
      const copy = mkdtempSync(join(tmpdir(), "locks-"));
      try {
        // One call for all of them: the AWS CLI takes a second to start.
        await s3("cp", place, copy, "--recursive");
        return locksIn(copy);
      } finally {
        rmSync(copy, { recursive: true });
      }
    },
    remove: async ({ file }) => {
      await s3("rm", `${place}${file}`);
    },
  };
}

function locksIn(directory: string): readonly Lock[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      try {
        const owner = JSON.parse(readFileSync(join(directory, file), "utf8")) as LockOwner;
        return [{ file, owner }];
      } catch (error) {
        // Its owner has just removed it.
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
      }
    });
}
