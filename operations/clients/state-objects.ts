import { mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CommandError, command } from "../../lib/command";
import { UserError, messageOf } from "../../lib/errors";
import { replaceFile } from "../../lib/replace";
import { stateDirectory } from "../pulumi/torn-files";

/** A Pulumi project, and the backend that stores the state of its stacks. */
export interface StateOfProject {
  /** URL of the backend: the value of `PULUMI_BACKEND_URL`. */
  readonly backendUrl: string;
  /** Directory of `Pulumi.yaml`. */
  readonly cwd: string;
  /** Environment variables for the AWS CLI, in addition to those of this process. */
  readonly env: Readonly<Record<string, string>>;
}

/** An object of a state backend: a file, or an object in S3. */
export interface StateObject {
  /** Time when the object was last written. */
  readonly modified: Date;
  /** Name of the object in its folder. */
  readonly name: string;
}

/**
 * Reads, writes and removes the objects of a state backend directly, not through Pulumi. So a
 * manipulated state cannot start a provider, a plugin or a command of a kubeconfig. Folders are
 * paths from the root of the backend, such as `.pulumi/stacks/PROJECT`.
 */
export interface StateObjects {
  /** Lists the objects in a folder, without the objects in its subfolders. */
  readonly list: (folder: string) => Promise<readonly StateObject[]>;
  /** Reads one object, which must exist. */
  readonly read: (folder: string, name: string) => Promise<string>;
  /** Removes everything in a folder and in its subfolders. */
  readonly removeFolder: (folder: string) => Promise<void>;
  /**
   * Removes each object of a folder if the object's name begins with `prefix`. The prefix must not
   * contain wildcards.
   */
  readonly removeNamed: (folder: string, prefix: string) => Promise<void>;
  /**
   * Creates or replaces one object. A process that reads the object at the same time gets either
   * the complete old text or the complete new text.
   */
  readonly write: (folder: string, name: string, text: string) => Promise<void>;
}

/**
 * Returns access to the objects of a state backend.
 *
 * @throws UserError if the backend is neither in files nor in S3.
 */
export function stateObjects(state: StateOfProject): StateObjects {
  const { backendUrl } = state;
  const directory = stateDirectory(backendUrl);
  if (directory !== undefined) return inFiles(directory);
  if (backendUrl.startsWith("s3://")) return inS3(state);
  throw new UserError(
    `PULUMI_BACKEND_URL must be the URL of the state backend, s3://... or file:///..., got "${backendUrl}". ` +
      "Nothing was changed.",
  );
}

/** Name of the Pulumi project in a directory: the project of the service or of the platform. */
export function projectOf(cwd: string): string {
  return (parse(readFileSync(join(cwd, "Pulumi.yaml"), "utf8")) as { name: string }).name;
}

/** The bucket of a state backend in S3. */
interface S3Bucket {
  readonly bucket: string;
  /** The AWS CLI's options for this bucket. */
  readonly options: readonly string[];
  /** Prefix of the keys of the backend's objects. The prefix is empty or ends with a slash. */
  readonly prefix: string;
}

/** Reads the bucket, the prefix and the AWS CLI's options from the URL of a backend in S3. */
export function s3Bucket(backendUrl: string): S3Bucket {
  const { host, pathname, searchParams } = new URL(backendUrl);
  const given = Object.entries({ "--endpoint-url": "endpoint", "--region": "region" });
  const options = given.flatMap(([option, name]) => {
    const value = searchParams.get(name);
    return value === null ? [] : [option, value];
  });
  const parts = pathname.split("/").filter(Boolean);
  return { bucket: host, options, prefix: parts.map((part) => `${part}/`).join("") };
}

function inFiles(directory: string): StateObjects {
  const namesIn = (folder: string): readonly string[] => {
    try {
      return readdirSync(join(directory, folder));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw new UserError(`The state backend in ${directory} cannot be read: ${messageOf(error)}`);
    }
  };
  return {
    list: async (folder) => {
      const found = namesIn(folder).flatMap((name) => {
        const stat = statSync(join(directory, folder, name), { throwIfNoEntry: false });
        return stat?.isFile() === true ? [{ modified: stat.mtime, name }] : [];
      });
      return Promise.resolve(found);
    },
    read: async (folder, name) =>
      Promise.resolve(readFileSync(join(directory, folder, name), "utf8")),
    removeFolder: async (folder) => {
      rmSync(join(directory, folder), { force: true, recursive: true });
      return Promise.resolve();
    },
    removeNamed: async (folder, prefix) => {
      for (const name of namesIn(folder).filter((one) => one.startsWith(prefix))) {
        rmSync(join(directory, folder, name), { force: true });
      }
      return Promise.resolve();
    },
    write: async (folder, name, text) => {
      mkdirSync(join(directory, folder), { recursive: true });
      replaceFile(join(directory, folder, name), text);
      return Promise.resolve();
    },
  };
}

/**
 * Timeout of one command of the AWS CLI, in milliseconds. The slowest command removes a stack's
 * history, because a history can have hundreds of objects.
 */
const s3Timeout = 120_000;

function inS3({ backendUrl, env }: StateOfProject): StateObjects {
  const { bucket, options, prefix } = s3Bucket(backendUrl);
  const run = async (
    args: readonly string[],
    what: "read" | "written",
    more: { readonly input?: string } = {},
  ): Promise<string> => {
    const all = [...args, ...options];
    return command("aws", all, { env, timeout: s3Timeout, ...more }).catch((error: unknown) => {
      const reason = error instanceof CommandError ? error.reason : String(error);
      throw new UserError(
        `The state backend at ${backendUrl} cannot be ${what}: ${reason}. ` +
          "Check PULUMI_BACKEND_URL, and the permissions that the shell or the CI job has.",
      );
    });
  };
  const aws = async (...args: readonly string[]): Promise<string> => run(args, "read");
  const s3 = async (...args: readonly string[]): Promise<string> =>
    aws("s3", ...args, "--only-show-errors");
  const address = (folder: string, name = ""): string =>
    `s3://${bucket}/${prefix}${folder}/${name}`;
  return {
    list: async (folder) => {
      const start = `${prefix}${folder}/`;
      const which = ["--bucket", bucket, "--prefix", start, "--output", "json"];
      const query = ["--query", "Contents[].[Key,LastModified]"];
      const answer = await aws("s3api", "list-objects-v2", ...which, ...query);
      // For an empty folder, the AWS CLI prints nothing, or "null".
      const found = JSON.parse(answer.trim() || "null") as (readonly [string, string])[] | null;
      return (found ?? [])
        .map(([key, modified]) => ({ modified: new Date(modified), name: key.slice(start.length) }))
        .filter(({ name }) => name !== "" && !name.includes("/"));
    },
    read: async (folder, name) => s3("cp", address(folder, name), "-"),
    removeFolder: async (folder) => {
      await s3("rm", address(folder), "--recursive");
    },
    removeNamed: async (folder, start) => {
      const which = ["--recursive", "--exclude", "*", "--include", `${start}*`];
      await s3("rm", address(folder), ...which);
    },
    write: async (folder, name, text) => {
      const args = ["s3", "cp", "-", address(folder, name), "--only-show-errors"];
      await run(args, "written", { input: text });
    },
  };
}
