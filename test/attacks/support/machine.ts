import type { Job } from "../../../pipeline/model";
import { absolutePath, type Caches, homeOf } from "../../../pipeline/run/caches";
import { executors } from "../../../pipeline/steps";
import type { Files } from "./circleci-stand-in";

/**
 * Returns the paths of two files. A job reads and runs one file at the start of every `npm run`,
 * and the other file before the first command of a step.
 */
function entryPointsIn(home: string): readonly string[] {
  return ["cli/entry.mjs", "~/.bashrc"].map((path) => absolutePath(path, home));
}

/** Returns the home directory in the image of a job. */
function homeOfJob({ executor }: Job): string {
  const [{ image }] = executors[executor as keyof typeof executors].docker;
  return homeOf(image);
}

/** Paths of the files that jobs read and run, in every image. */
export const entryPoints = [
  ...new Set(Object.values(executors).map(({ docker: [{ image }] }) => homeOf(image))),
].flatMap(entryPointsIn);

/** The result of a simulated job. */
interface Ran {
  /** Paths of the attacker's files that a command has read. */
  readonly attackers: readonly string[];
}

/**
 * Simulates the steps of a job. The steps `checkout` and `restore_cache` write files, and each
 * command reads all `entryPoints`.
 */
export function play(job: Job, caches: Caches<Files>, keys: (template: string) => string): Ran {
  const entryPoints = entryPointsIn(homeOfJob(job));
  const there = new Map<string, "attacker" | "main">();
  const attackers = new Set<string>();
  const take = (files: Files): void => {
    for (const [path, by] of files) there.set(path, by);
  };
  for (const step of job.steps) {
    if (step === "checkout") take(new Map(entryPoints.map((path) => [path, "main"])));
    else if ("restore_cache" in step) {
      const { keys: asked } = step.restore_cache as { readonly keys: readonly string[] };
      take(caches.restore(asked.map(keys))?.content ?? new Map());
    } else if ("run" in step) {
      for (const path of entryPoints) if (there.get(path) === "attacker") attackers.add(path);
    }
  }
  return { attackers: [...attackers] };
}
