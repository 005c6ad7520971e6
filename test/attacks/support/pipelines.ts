import type { Config, Job } from "../../../pipeline/model";
import {
  contexts,
  type ContextName,
  fullName,
  hasRole,
  isMainOnly,
} from "../../../pipeline/contexts";
import { inOneProject as pipelines } from "../../../pipeline/pipelines";

export interface ThereJob {
  readonly contexts: readonly ContextName[];
  readonly job: Job;
  readonly name: string;
  readonly workflow: string;
}

/**
 * Returns the jobs of the configuration files, each with the contexts that the job names. Omits
 * approval jobs.
 */
function jobsIn(files: Readonly<Record<string, Config>>): readonly ThereJob[] {
  return Object.values(files).flatMap(({ jobs, workflows }) =>
    Object.entries(workflows).flatMap(([workflow, { jobs: places }]) =>
      places.flatMap((entry) => {
        const [name = "", place = {}] =
          typeof entry === "string" ? [entry] : (Object.entries(entry)[0] ?? []);
        const job = jobs[name];
        if (job === undefined) return [];
        const named = place.context ?? [];
        const given = (Object.keys(contexts) as ContextName[]).filter((context) =>
          named.includes(fullName(context)),
        );
        return [{ contexts: given, job, name, workflow }];
      }),
    ),
  );
}

/** All jobs except the jobs of the workflow `branch`. This workflow runs for every branch. */
export const jobsOfMain = jobsIn(pipelines).filter(({ workflow }) => workflow !== "branch");
export const jobsOfBranch = jobsIn(pipelines).filter(({ workflow }) => workflow === "branch");

/** Jobs of main with contexts that have an IAM role and that only main may use. */
export const privileged = jobsOfMain.filter(
  ({ contexts: given }) => hasRole(given) && isMainOnly(given),
);
