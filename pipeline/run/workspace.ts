/**
 * The code in this file imitates the workspace of a workflow in CircleCI. The quotes are from
 * CircleCI's page "Using workspaces to share data between jobs".
 *
 * The code leaves out two features: the deletion of a workspace after 15 days, and globs in
 * `paths`. A local run cannot rerun a workflow, so a local run always starts with an empty
 * workspace.
 */
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { UserError } from "../../lib/errors";
import type { PlacedJob } from "../checks/shape";

/**
 * Returns the names of the jobs that must end before a job starts, in the order of the pipeline
 * file.
 */
export function upstreamOf(name: string, jobs: readonly PlacedJob[]): readonly string[] {
  const found = new Set<string>();
  const visit = (one: string): void => {
    for (const { name: before } of jobs.find((job) => job.name === one)?.requires ?? []) {
      if (found.has(before)) continue;
      found.add(before);
      visit(before);
    }
  };
  visit(name);
  return jobs.map((job) => job.name).filter((one) => found.has(one));
}

/**
 * The files that each job of a workflow has persisted: "With each addition to the workspace, a new
 * layer is created in the store". "Each workflow has a temporary workspace associated with it": a
 * new workflow starts without layers.
 */
export class Workspace {
  readonly #directory: string;
  readonly #jobs: readonly PlacedJob[];
  /** Names of the jobs that have persisted files, from the first job to the last job. */
  readonly #layers: string[] = [];

  constructor(directory: string, jobs: readonly PlacedJob[]) {
    this.#directory = directory;
    this.#jobs = jobs;
  }

  /**
   * Adds the files that a job persists. The paths are relative to `root` and "must not be the
   * workspace root itself" (docs: Configuration reference).
   *
   * @throws UserError if a path contains a glob, if a path is the root itself or outside the root,
   * or if none of the paths exists. If none of the paths exists, the step fails in CircleCI with
   * "The specified paths did not match any files"
   */
  persist(job: string, root: string, paths: readonly string[]): void {
    for (const path of paths) {
      if (/[*?[\]]/.test(path))
        throw new UserError(`the local run does not support globs: ${path}`);
      const inside = relative(root, resolve(root, path));
      if (inside === "" || inside.startsWith("..")) {
        throw new UserError(`"${path}" is not inside the root of the workspace`);
      }
    }
    const there = paths.filter((path) => existsSync(join(root, path)));
    if (there.length === 0) {
      throw new UserError(`The specified paths did not match any files: ${paths.join(", ")}`);
    }
    for (const path of there) copy(join(root, path), join(this.#directory, job, path));
    if (!this.#layers.includes(job)) this.#layers.push(job);
  }

  /**
   * Copies the files of earlier jobs into a directory, and returns the names of these jobs. "Each
   * job can only see content added to the workspace by the jobs that are upstream of it."
   *
   * @throws UserError if two jobs have persisted the same file, and neither is upstream of the
   * other: "If multiple concurrent jobs persist the same filename, then attaching the workspace
   * will error"
   */
  attach(job: string, to: string): readonly string[] {
    const upstream = upstreamOf(job, this.#jobs);
    const layers = this.#layers.filter((one) => upstream.includes(one));
    const writers = new Map<string, string>();
    for (const layer of layers) {
      for (const file of filesIn(join(this.#directory, layer))) {
        const earlier = writers.get(file);
        if (earlier !== undefined && !upstreamOf(layer, this.#jobs).includes(earlier)) {
          throw new UserError(`${earlier} and ${layer} both persist ${file}, at the same time`);
        }
        writers.set(file, layer);
      }
    }
    for (const layer of layers) copy(join(this.#directory, layer), to);
    return layers;
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}

function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}
