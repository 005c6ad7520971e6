import type { PlacedJob } from "../checks/shape";

/** How a job ended here; `held` waits for its own or an earlier approval. */
export type End = "success" | "failed" | "not_run" | "held";

/** The name of each end in `requires`. */
const terminal = ["success", "failed", "not_run"];

export interface Decision {
  readonly place: PlacedJob;
  readonly act: "run" | "skip" | "hold";
}

/** The next job that can be decided, in the file's order, or undefined when all have been. */
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
    // A requirement that can never be satisfied decides, even if others still wait.
    if (required.some((one) => one.end !== "held" && !met(one))) return { act: "skip", place };
    if (required.some(({ end }) => end === "held")) return { act: "hold", place };
    return { act: "run", place };
  }
  return undefined;
}
