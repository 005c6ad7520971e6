import * as v from "valibot";
import { shortCommit } from "../../components/conventions/names";
import { UserError } from "../../lib/errors";
import { parsedFile } from "../../lib/json";
import type { Release } from "../stacks/release";

/** The commit and the image that a stack runs, or that a job of this pipeline has deployed. */
export type Deployment = Pick<Release, "commit" | "imageRef">;

const report = v.object({ commit: v.string(), imageRef: v.string(), stack: v.string() });

/**
 * Reads the report that `npm run deploy` has written for the later jobs of the pipeline.
 *
 * @throws UserError if the file cannot be read, or is not the report of a deploy of this stack
 */
export function deploymentIn(file: string, stack: string): Deployment {
  const found = parsedFile(report, file);
  if (found?.stack !== stack) {
    throw new UserError(
      `${file} does not say what was deployed to stack "${stack}": run npm run deploy -- ${stack} first. Nothing was changed.`,
    );
  }
  return { commit: found.commit, imageRef: found.imageRef };
}

/**
 * Checks that a stack still runs what this pipeline has deployed.
 *
 * @param runs what the stack runs, according to its current outputs
 * @throws UserError if another pipeline or a person has deployed a different release since this
 * pipeline's deploy
 */
export function assertStillRuns(stack: string, deployed: Deployment, runs: Deployment): void {
  if (runs.commit === deployed.commit && runs.imageRef === deployed.imageRef) return;
  throw new UserError(
    `Stack "${stack}" now runs ${described(runs)}, but this pipeline deployed ${described(deployed)}: ` +
      `continue in the pipeline that deployed last, or rerun this pipeline from its start. Nothing was changed.`,
  );
}

const described = ({ commit, imageRef }: Deployment): string =>
  `${imageRef} (${shortCommit(commit)})`;
