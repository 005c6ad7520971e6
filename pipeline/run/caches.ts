/**
 * The code in this file simulates the caches of a CircleCI project. The quotes come from CircleCI's
 * pages "Configuration reference" and "Caching", unless a comment contains the name of another
 * page.
 *
 * The code does not simulate three things: the order of jobs that save at the same time, the limits
 * on the size of caches, and `{{ .CheckoutKey }}`.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../lib/errors";

/** "By default, cache storage duration is set to 15 days." */
const STORED_MS = 15 * 24 * 3_600_000;

export interface Cache<Content> {
  readonly content: Content;
  readonly key: string;
  /** Time of the save, in milliseconds since 1970. */
  readonly saved: number;
}

/**
 * The caches of one project. No method has a parameter for the branch: "caches are global within a
 * project, a cache saved on one branch will be used by jobs run on other branches" (docs:
 * Persisting data).
 */
export class Caches<Content> {
  readonly #all: Cache<Content>[];
  readonly #now: () => number;

  constructor(saved: readonly Cache<Content>[] = [], now: () => number = Date.now) {
    this.#all = [...saved];
    this.#now = now;
  }

  /** The caches that are still stored, from the oldest to the newest. */
  get stored(): readonly Cache<Content>[] {
    return this.#all.filter(({ saved }) => this.#now() - saved < STORED_MS);
  }

  /**
   * Saves a cache, and returns true. If a cache with this key exists, saves nothing and returns
   * false: "The cache for a specific `key` is immutable. If a cache already exists for the given
   * `key`, CircleCI uses the existing cache and proceeds to the next step."
   */
  save(key: string, content: () => Content): boolean {
    if (this.stored.some((one) => one.key === key)) return false;
    this.#all.push({ content: content(), key, saved: this.#now() });
    return true;
  }

  /**
   * Returns the newest cache for the first key that matches a cache. "CircleCI restores the cache
   * from the first existing key. A key is searched against existing keys as a prefix. When multiple
   * matches exist, CircleCI uses the most recent match, even if a more precise match exists."
   */
  restore(keys: readonly string[]): Cache<Content> | undefined {
    for (const key of keys) {
      const found = this.stored.findLast((one) => one.key.startsWith(key));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Values for the template of a cache key. */
export interface KeyValues {
  readonly branch: string;
  readonly buildNumber: string;
  /**
   * "Any environment variable exported by CircleCI or added to a specific context -- not any
   * arbitrary environment variable."
   */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly revision: string;
  readonly workingDirectory: string;
}

/**
 * Returns a cache key: "During step execution, CircleCI replaces the templates above with runtime
 * values and uses the resultant string as the `key`."
 *
 * @throws UserError if the template uses an expression that this function does not know, or the
 * checksum of a file that does not exist
 */
export function cacheKey(template: string, values: KeyValues): string {
  return template.replace(/\{\{\s*(.*?)\s*\}\}/g, (_, inside: string) => {
    const [, file] = /^checksum "([^"]+)"$/.exec(inside) ?? [];
    // "A base64 encoded SHA256 hash of the given filename's contents."
    if (file !== undefined) return checksum(resolve(values.workingDirectory, file));
    const [, name] = /^\.Environment\.(\w+)$/.exec(inside) ?? [];
    if (name !== undefined) return values.environment[name] ?? "";
    const simple: Readonly<Record<string, string>> = {
      ".Branch": values.branch,
      ".BuildNum": values.buildNumber,
      ".Revision": values.revision,
      arch: `${process.platform} ${process.arch}`,
      epoch: String(Math.floor(Date.now() / 1000)),
    };
    const value = simple[inside];
    if (value === undefined) throw new UserError(`a cache key cannot use {{ ${inside} }}`);
    return value;
  });
}

function checksum(file: string): string {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("base64");
  } catch {
    throw new UserError(`a cache key uses the checksum of a file that does not exist: ${file}`);
  }
}

/**
 * Returns the home directory in an executor's image. CircleCI's own images have a user `circleci`.
 */
export const homeOf = (image: string): string =>
  image.startsWith("cimg/") ? "/home/circleci" : "/root";

/**
 * Returns the absolute path of a cached file: "CircleCI restores the cache to the location where it
 * originally saved it". A relative path starts at the job's working directory. In CircleCI, this
 * directory is `~/project` by default.
 */
export const absolutePath = (path: string, home: string): string =>
  resolve(`${home}/project`, path.replace(/^~(?=\/|$)/, home));
