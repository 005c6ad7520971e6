import type { Job } from "../../../pipeline/model";
import type { Caches, Files } from "./circleci-stand-in";

/** The working directory of a job in a container (docs: configuration reference). */
const workingDirectory = "/root/project";

/**
 * Files that a job reads and runs: at the start of every `npm run`, and before the first command of
 * a step.
 */
export const entryPoints = [`${workingDirectory}/cli/entry.mjs`, "/root/.bashrc"];

/** The result of playing a job. */
interface Ran {
  /** Paths of the attacker's files that a command has read. */
  readonly attackers: readonly string[];
}

/**
 * Plays the steps of a job: the checkout of main and restored caches write files, and each command
 * reads all `entryPoints`.
 */
export function play(job: Job, caches: Caches, keys: (template: string) => string): Ran {
  const there = new Map<string, "attacker" | "main">();
  const attackers = new Set<string>();
  const take = (files: Files): void => {
    for (const [path, by] of files) there.set(path, by);
  };
  for (const step of job.steps) {
    if (step === "checkout") take(new Map(entryPoints.map((path) => [path, "main"])));
    else if ("restore_cache" in step) {
      const { keys: asked } = step.restore_cache as { readonly keys: readonly string[] };
      for (const key of asked) take(caches.restore(keys(key)));
    } else if ("run" in step) {
      for (const path of entryPoints) if (there.get(path) === "attacker") attackers.add(path);
    }
  }
  return { attackers: [...attackers] };
}
