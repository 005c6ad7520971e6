/**
 * A stand-in for the parts of CircleCI that an attacker could use. The stand-in decides which jobs
 * get a context, and returns the claims of a token. The stand-in for caches is in
 * pipeline/run/caches.ts. This stand-in uses the rules of `npm run pipeline -- run`. These rules
 * are in pipeline/run. The comments in pipeline/run quote CircleCI's documentation, and list what
 * the rules omit.
 */
import { type ContextName, fullName, restrictionOf } from "../../../pipeline/contexts";
import type { JobRun as AnyJobRun } from "../../../pipeline/run/actors";
import { refusals } from "../../../pipeline/run/restrictions";
import { type Claims, claimsOf, uuidOf } from "../../../pipeline/run/token";
import { settings } from "../../support/platform";

/** A run of a job that names only our contexts. */
export type JobRun = Omit<AnyJobRun, "contexts"> & { readonly contexts: readonly ContextName[] };

const named = (run: JobRun): AnyJobRun => ({ ...run, contexts: run.contexts.map(fullName) });

/**
 * Returns the contexts whose restrictions refuse the job. If the list is not empty, CircleCI ends
 * the job with the status "unauthorized".
 */
export function refusedContexts(run: JobRun): readonly ContextName[] {
  return run.contexts.filter((context) => refusals(restrictionOf(context), named(run)).length > 0);
}

/**
 * Whether a job gets every context that it names. If one of these contexts refuses the job,
 * CircleCI does not run the job.
 */
export const runs = (run: JobRun): boolean => refusedContexts(run).length === 0;

/** The time at which the jobs of the attacks start, in seconds since 1970. */
export const jobStart = 1_700_000_000;

/** Returns the claims of a job's token. */
export function tokenOf(run: JobRun): Claims {
  const ids = {
    jobId: uuidOf("job"),
    pipelineId: uuidOf("pipeline"),
    workflowId: uuidOf("workflow"),
  };
  return claimsOf(named(run), settings.circleci, { ...ids, at: jobStart });
}

/** The author of each file's content, by the absolute path of the file. */
export type Files = ReadonlyMap<string, "attacker" | "main">;
