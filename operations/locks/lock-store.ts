import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { type StateOfProject, projectOf, s3Bucket } from "../clients/state-objects";
import { type LockOwner, tookSoonAfter } from "../pulumi/started-processes";
import { stateDirectory } from "../pulumi/torn-files";
import type { CircleciJob } from "./circleci-job";

/**
 * A record of the CircleCI job that starts a Pulumi process. A job writes the record before the
 * job's Pulumi process takes the stack's lock.
 */
export interface JobRecord {
  /** Time of the record, in milliseconds since 1970. */
  readonly at: number;
  readonly hostname: string;
  readonly job: CircleciJob;
  readonly pid: number;
}

interface StoredRecord extends JobRecord {
  readonly file: string;
}

/** A stack's lock that Pulumi has stored, and the record of the lock's owner. */
export interface Lock {
  /** Name of the lock's file or S3 object. Each Pulumi process chooses a different name. */
  readonly file: string;
  readonly owner: LockOwner;
  /**
   * Record of the lock's owner. Undefined if the owner has no record, for example if the owner is a
   * process on a laptop.
   */
  readonly record: StoredRecord | undefined;
}

interface Stored {
  /**
   * All locks of the stack. There is usually at most one lock, because a Pulumi process ends with
   * an error if it finds the lock of another process.
   */
  readonly locks: readonly Lock[];
  readonly records: readonly StoredRecord[];
}

/** Reads and removes the locks of one stack. */
export interface LockStore {
  /** Reads the current locks of the stack, and the records of CircleCI jobs. */
  readonly read: () => Promise<Stored>;
  /**
   * Removes locks and records. For each lock, the function also removes the record of the lock's
   * owner. Ignores locks and records that no longer exist.
   */
  readonly remove: (things: readonly (Lock | StoredRecord)[]) => Promise<void>;
}

/**
 * Name of the folder with the records of CircleCI jobs. This folder is inside the folder with the
 * stack's locks, because the IAM roles of CI already have the necessary permissions for the folder
 * with the locks. Pulumi treats every object in the locks' folder as a lock, but ignores
 * subfolders.
 *
 * @see https://github.com/pulumi/pulumi/blob/v3.215.0/pkg/backend/diy/lock.go checkForLock
 */
const recordFolder = "circleci";

/**
 * Returns functions that read and remove a stack's locks. The locks are files in a local directory,
 * or objects in S3.
 *
 * @throws UserError if the state backend is not in local files and not in S3.
 */
export function lockStore(stack: string, state: StateOfProject): LockStore {
  const { backendUrl } = state;
  const directory = stateDirectory(backendUrl);
  if (directory !== undefined) return inFiles(join(directory, lockPath(stack, state)));
  if (backendUrl.startsWith("s3://")) return inS3(stack, state);
  throw new UserError(
    `PULUMI_BACKEND_URL must be the URL of the state backend, s3://... or file:///..., got "${backendUrl}": ` +
      "this command cannot read the locks of another kind of backend. Nothing was changed.",
  );
}

/**
 * The folder with a stack's locks, relative to the directory or the S3 prefix of the state backend.
 */
const lockPath = (stack: string, { cwd }: StateOfProject): string =>
  [".pulumi", "locks", "organization", projectOf(cwd), stack].join("/");

/** The address of a stack's locks in S3, and the AWS CLI's options for this address. */
interface S3Place {
  readonly options: readonly string[];
  /** S3 address of the folder with the locks. Ends with a slash. */
  readonly place: string;
}

function s3Place(stack: string, state: StateOfProject): S3Place {
  const { bucket, options, prefix } = s3Bucket(state.backendUrl);
  const place = `s3://${bucket}/${prefix}${lockPath(stack, state)}/`;
  return { options: ["--only-show-errors", ...options], place };
}

/**
 * Returns arguments of the AWS CLI. `write` stores a record that comes from standard input, and
 * `remove` deletes this record.
 */
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
  // The AWS CLI takes a second to start, so one call reads or removes all objects.
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

/**
 * Whether the Pulumi process that the record describes is the owner of the lock. `tookSoonAfter`
 * contains the rule about the process id and the times. The same rule applies to a Pulumi process
 * that was killed on this machine.
 */
const isOwner = (record: JobRecord, owner: LockOwner): boolean =>
  record.hostname === owner.hostname && tookSoonAfter(record, owner);

/**
 * Reads the JSON files in a folder below a directory. Returns the path (relative to the directory)
 * and the content of each file.
 */
function jsonIn(directory: string, folder: string): readonly (readonly [string, unknown])[] {
  const path = join(directory, folder);
  if (!existsSync(path)) return [];
  const names = readdirSync(path).filter((name) => name.endsWith(".json"));
  return names.flatMap((name) => {
    try {
      const content: unknown = JSON.parse(readFileSync(join(path, name), "utf8"));
      return [[`${folder}${name}`, content] as const];
    } catch (error) {
      // Another process removed the file after this function had listed the folder.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  });
}
