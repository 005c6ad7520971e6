import type { JobStatus, Run } from "../../jobs/runs";
import type { Memory } from "./memory";

/** Memory of one job. */
type JobMemory = Memory["jobs"][string];

/** A due time without a run. */
interface Missed {
  /** Name of an earlier run that still ran at the due time. */
  readonly busy?: string;
  readonly due: Date;
}

/** What to tell about one job, and what to remember as soon as the recipient knows it. */
export interface JobNews {
  /** Failed runs that no message has told, the newest first. */
  readonly failed: readonly Run[];
  readonly missed: readonly Missed[];
  readonly then: JobMemory;
}

/**
 * Shortest time after a due time until the notifier says that the run is missed, in milliseconds.
 * Kubernetes starts a run some seconds late, and a job may have no starting deadline.
 */
const graceMs = 60_000;

/**
 * Finds what no message has told about a job: failed runs by their names, and missed runs by their
 * due times. The notifier looks at each due time only once, when the run can no longer start: later
 * Kubernetes may delete the Job of a run that was there. This function is pure.
 */
export function newsOf(job: JobStatus, told: JobMemory | undefined, now: Date): JobNews {
  const failed = job.runs.filter(({ result }) => result === "failed");
  const { startingDeadlineSeconds = 0 } = job.schedule;
  const until = now.getTime() - Math.max(startingDeadlineSeconds * 1000, graceMs);
  const from = Date.parse(told?.checkedUntil ?? new Date(0).toISOString());
  const missed = job.missed.filter((due) => due.getTime() >= from && due.getTime() < until);
  return {
    failed: failed.filter(({ name }) => told?.failed.includes(name) !== true),
    missed: missed.map((due) => {
      const busy = job.runs.find((run) => isBusy(run, due));
      return busy === undefined ? { due } : { busy: busy.name, due };
    }),
    then: {
      // If someone has made the starting deadline longer, `until` is earlier than before.
      checkedUntil: new Date(Math.max(from, until)).toISOString(),
      failed: failed.map(({ name }) => name),
    },
  };
}

const isBusy = ({ ended, started }: Run, due: Date): boolean =>
  started < due && (ended === undefined || ended > due);
