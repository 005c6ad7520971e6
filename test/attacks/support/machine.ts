import type { Job } from "../../../pipeline/model";
import type { Caches, Files } from "./circleci-stand-in";

/** The working directory of a job in a container (docs: configuration reference). */
const workingDirectory = "/root/project";

/** Read before the first command of a step, and at the start of every `npm run`. */
export const entryPoints = [`${workingDirectory}/cli/entry.mjs`, "/root/.bashrc"];

/** Whose code the commands of a job would run. */
interface Ran {
  /** Files of the attacker that a command has read. */
  readonly attackers: readonly string[];
}

/**
 * Plays the steps of a job. Files come from the checkout of main and from caches. A command reads
 * every entry point.
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
