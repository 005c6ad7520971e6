import type { JobStatus, Run } from "../../jobs/runs";
import type { Memory } from "./memory";

/** The reported runs of one job. */
type JobMemory = Memory["jobs"][string];

/** A due time without a run. */
interface Missed {
  /**
   * Name of an earlier run that had not ended at the due time. Undefined if there was no such run.
   */
  readonly busy?: string;
  readonly due: Date;
}

/** The runs of one job that the notifier must report. */
export interface JobNews {
  /** Failed runs that the notifier has not reported, the newest first. */
  readonly failed: readonly Run[];
  readonly missed: readonly Missed[];
  /** The reported runs that the notifier stores after Slack has accepted the message. */
  readonly then: JobMemory;
}

/**
 * Shortest time from a due time until the notifier reports the run as missed, in milliseconds.
 * Kubernetes starts a run some seconds after its due time, and not every job has a starting
 * deadline that covers these seconds.
 */
const graceMs = 60_000;

/**
 * Finds the failed and the missed runs of a job that the notifier has not reported. The notifier
 * identifies a failed run by its name, and a missed run by its due time. The notifier checks each
 * due time only once, when the run can no longer start. Later, Kubernetes may have deleted the Job
 * of the run, and the run would look like a missed run. This function is pure.
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
      // If someone has made the starting deadline longer, `until` may be earlier than `from`.
      checkedUntil: new Date(Math.max(from, until)).toISOString(),
      failed: failed.map(({ name }) => name),
    },
  };
}

const isBusy = ({ ended, started }: Run, due: Date): boolean =>
  started < due && (ended === undefined || ended > due);
