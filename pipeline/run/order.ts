import type { PlacedJob } from "../checks/shape";

/**
 * How a job ended in the local run. A `held` job is an approval that no one has given, or a job
 * that waits for an approval. CircleCI does not run an `unauthorized` job, because the restriction
 * of a context does not allow the job to use the context.
 */
export type End = "success" | "failed" | "not_run" | "held" | "unauthorized";

/**
 * The results of a job that satisfy the status `terminal` in `requires`: "equivalent to [success,
 * failed, canceled, unauthorized, not_run]" (docs: Configuration reference). A local run never
 * cancels a job.
 */
const terminal = ["success", "failed", "not_run", "unauthorized"];

export interface Decision {
  readonly place: PlacedJob;
  readonly act: "run" | "skip" | "hold";
}

/**
 * Returns the first job, in the file's order, that has not ended and whose required jobs have
 * ended. Also returns what to do with this job. Undefined if there is no such job.
 */
export function next(
  jobs: readonly PlacedJob[],
  ends: ReadonlyMap<string, End>,
): Decision | undefined {
  for (const place of jobs) {
    if (ends.has(place.name)) continue;
    const required = place.requires.map(({ name, statuses }) => ({
      end: ends.get(name),
      statuses,
    }));
    if (required.some(({ end }) => end === undefined)) continue;
    const met = ({
      end = "",
      statuses,
    }: {
      end?: string | undefined;
      statuses: readonly string[];
    }) => statuses.includes(end) || (statuses.includes("terminal") && terminal.includes(end));
    // If one requirement can no longer be satisfied, the run skips the job, even if another
    // requirement still waits for an approval.
    if (required.some((one) => one.end !== "held" && !met(one))) return { act: "skip", place };
    if (required.some(({ end }) => end === "held")) return { act: "hold", place };
    return { act: "run", place };
  }
  return undefined;
}
