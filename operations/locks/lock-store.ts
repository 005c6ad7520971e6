import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { type LockOwner, tookSoonAfter } from "../pulumi/started-processes";
import { stateDirectory } from "../pulumi/torn-files";
import type { CircleciJob } from "./circleci-job";

/** A Pulumi process of a CircleCI job. It is written before the process takes the stack's lock. */
export interface JobRecord {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly hostname: string;
  readonly job: CircleciJob;
  readonly pid: number;
}

interface StoredRecord extends JobRecord {
  readonly file: string;
}

/** A lock of a stack, as Pulumi has stored it. */
export interface Lock {
  /** Name of its file or object: each Pulumi process chooses another one. */
  readonly file: string;
  readonly owner: LockOwner;
  /** The owner's record, if the owner is a process of a CircleCI job. */
  readonly record: StoredRecord | undefined;
}

interface Stored {
  /** Pulumi works only if there is at most one. */
  readonly locks: readonly Lock[];
  readonly records: readonly StoredRecord[];
}

/** The locks of one stack, in the stack's state. */
export interface LockStore {
  /** Everything that is there now. */
  readonly read: () => Promise<Stored>;
  /** Removes locks with their records. Does nothing about what is gone. */
  readonly remove: (things: readonly (Lock | StoredRecord)[]) => Promise<void>;
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
 * The folder of the records, in the folder of the stack's locks. Pulumi takes every object of its
 * folder for a lock, and skips the folders in it. The roles of CI already have rights there.
 *
 * @see https://github.com/pulumi/pulumi/blob/v3.215.0/pkg/backend/diy/lock.go checkForLock
 */
const recordFolder = "circleci";

/**
 * Where Pulumi keeps the locks of a stack.
 *
 * @throws UserError if the state is neither in files nor in S3.
 */
export function lockStore(stack: string, state: StateOfProject): LockStore {
  const { backendUrl } = state;
  const directory = stateDirectory(backendUrl);
  if (directory !== undefined) return inFiles(join(directory, lockPath(stack, state)));
  if (backendUrl.startsWith("s3://")) return inS3(stack, state);
  throw new UserError(
    `PULUMI_BACKEND_URL must be the state's address, s3://... or file:///..., got "${backendUrl}": ` +
      "the locks of another state cannot be read. Nothing was changed.",
  );
}

/** The folder of a stack's locks, below the state's directory or prefix. */
function lockPath(stack: string, { cwd }: StateOfProject): string {
  // The program of the service, or that of the platform.
  const { name } = parse(readFileSync(join(cwd, "Pulumi.yaml"), "utf8")) as { name: string };
  return [".pulumi", "locks", "organization", name, stack].join("/");
}

/** The AWS CLI's arguments for what is done to a stack's locks in S3, and their address. */
interface S3Place {
  readonly options: readonly string[];
  /** Ends with a slash. */
  readonly place: string;
}

function s3Place(stack: string, state: StateOfProject): S3Place {
  const { host, pathname, searchParams } = new URL(state.backendUrl);
  const parts = [host, ...pathname.split("/").filter(Boolean), lockPath(stack, state)];
  const given = Object.entries({ "--endpoint-url": "endpoint", "--region": "region" });
  const options = given.flatMap(([option, name]) => {
    const value = searchParams.get(name);
    return value === null ? [] : [option, value];
  });
  return { options: ["--only-show-errors", ...options], place: `s3://${parts.join("/")}/` };
}

/** The AWS CLI's arguments that write a record from standard input, and those that remove it. */
export function recordObject(
  stack: string,
  state: StateOfProject,
  name: string,
): Readonly<Record<"remove" | "write", readonly string[]>> {
  const { options, place } = s3Place(stack, state);
  const address = `${place}${recordFolder}/${name}.json`;
  return {
    remove: ["s3", "rm", address, ...options],
    write: ["s3", "cp", "-", address, ...options],
  };
}

function inFiles(directory: string): LockStore {
  return {
    read: async () => Promise.resolve(storedIn(directory)),
    remove: async (things) => {
      for (const file of filesOf(things)) rmSync(join(directory, file), { force: true });
      return Promise.resolve();
    },
  };
}

function inS3(stack: string, state: StateOfProject): LockStore {
  const { options, place } = s3Place(stack, state);
  // One call for all objects: the AWS CLI takes a second to start.
  const s3 = async (...args: readonly string[]): Promise<string> =>
    command("aws", ["s3", ...args, "--recursive", ...options], { env: state.env, timeout: 30_000 });
  return {
    read: async () => {
      const copy = mkdtempSync(join(tmpdir(), "locks-"));
      try {
        await s3("cp", place, copy);
        return storedIn(copy);
      } finally {
        rmSync(copy, { recursive: true });
      }
    },
    remove: async (things) => {
      const files = filesOf(things).flatMap((file) => ["--include", file]);
      await s3("rm", place, "--exclude", "*", ...files);
    },
  };
}

const filesOf = (things: readonly (Lock | StoredRecord)[]): readonly string[] =>
  things.flatMap((thing) => [
    thing.file,
    ...("record" in thing && thing.record !== undefined ? [thing.record.file] : []),
  ]);

function storedIn(directory: string): Stored {
  const records = jsonIn(directory, `${recordFolder}/`).map(([file, content]) => ({
    ...(content as JobRecord),
    file,
  }));
  const locks = jsonIn(directory, "").map(([file, content]) => {
    const owner = content as LockOwner;
    return { file, owner, record: records.find((record) => isOwner(record, owner)) };
  });
  return { locks, records };
}

/** The same rule as for a process that was killed on this machine. */
const isOwner = (record: JobRecord, owner: LockOwner): boolean =>
  record.hostname === owner.hostname && tookSoonAfter(record, owner);

/** The JSON files of one folder, with their names below the directory. */
function jsonIn(directory: string, folder: string): readonly (readonly [string, unknown])[] {
  const path = join(directory, folder);
  if (!existsSync(path)) return [];
  const names = readdirSync(path).filter((name) => name.endsWith(".json"));
  return names.flatMap((name) => {
    try {
      const content: unknown = JSON.parse(readFileSync(join(path, name), "utf8"));
      return [[`${folder}${name}`, content] as const];
    } catch (error) {
      // Its owner has just removed it.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  });
}
