import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { absolutePath, type Cache, Caches } from "./caches";

/** Where a job of a local run runs. */
export interface Place {
  readonly copy: string;
  /** Home directory in the job's image. */
  readonly home: string;
}

/**
 * The caches of one CircleCI project, in a directory. Local runs with the same directory share the
 * caches, as the pipelines of all branches do in CircleCI.
 *
 * This class ignores paths outside the job's working directory, because on this machine, these
 * paths belong to the user and not to the job.
 */
export class StoredCaches {
  readonly #directory: string;
  readonly #index: string;
  readonly #caches: Caches<string>;

  constructor(directory: string) {
    this.#directory = directory;
    this.#index = join(directory, "index.json");
    const saved = existsSync(this.#index) ? readFileSync(this.#index, "utf8") : "[]";
    this.#caches = new Caches(JSON.parse(saved) as readonly Cache<string>[]);
  }

  /** Saves files of a job. Returns a text that says what this method has saved. */
  save(key: string, paths: readonly string[], { copy, home }: Place): string {
    const all = paths.map((path) => absolutePath(path, home));
    const project = `${home}/project/`;
    const inside = all.filter((path) => path.startsWith(project));
    if (inside.length === 0) return "skipped, because this machine has its own cache";
    const there = inside.filter((path) => existsSync(join(copy, path.slice(project.length))));
    if (there.length === 0) return `nothing at ${inside.join(", ")}`;
    const isNew = this.#caches.save(key, () => {
      const name = `cache-${String(readdirSync(this.#makeDirectory()).length)}`;
      for (const path of there) {
        copyTo(join(copy, path.slice(project.length)), join(this.#directory, name, path));
      }
      return name;
    });
    if (!isNew) return `skipped, because the cache ${key} exists`;
    writeFileSync(this.#index, JSON.stringify(this.#caches.stored));
    return key;
  }

  /**
   * Restores the files of the newest cache for the first key that matches a cache. Returns a text
   * that says which cache this method has restored.
   */
  restore(keys: readonly string[], { copy, home }: Place): string {
    const found = this.#caches.restore(keys);
    if (found === undefined) return "no cache found";
    const from = join(this.#directory, found.content, home, "project");
    if (!existsSync(from)) return `${found.key}: all its files are outside ${home}/project`;
    copyTo(from, copy);
    return found.key;
  }

  #makeDirectory(): string {
    mkdirSync(this.#directory, { recursive: true });
    return this.#directory;
  }
}

function copyTo(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}
