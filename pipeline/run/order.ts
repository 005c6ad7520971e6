import type { PlacedJob } from "../checks/shape";

/**
 * How a job ended in the local run. A `held` job waits for its own or an earlier approval. CircleCI
 * does not run an `unauthorized` job, because the restriction of a context refuses the job.
 */
export type End = "success" | "failed" | "not_run" | "held" | "unauthorized";

/**
 * Ends that satisfy the status `terminal` in `requires`: "equivalent to [success, failed, canceled,
 * unauthorized, not_run]" (docs: Configuration reference). A local run never cancels a job.
 */
const terminal = ["success", "failed", "not_run", "unauthorized"];

export interface Decision {
  readonly place: PlacedJob;
  readonly act: "run" | "skip" | "hold";
}

/**
 * Returns the next job, in the file's order, that the run can start, skip or hold. Undefined when
 * the run has decided about all jobs.
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
    // If a requirement can never be satisfied, the run skips the job, even if another requirement
    // still waits for an approval.
    if (required.some((one) => one.end !== "held" && !met(one))) return { act: "skip", place };
    if (required.some(({ end }) => end === "held")) return { act: "hold", place };
    return { act: "run", place };
  }
  return undefined;
}
