import { versionOfJob } from "../../components/conventions/migrations/declaration";
import { copyLabels } from "../../components/conventions/one-off/copies";
import { UserError } from "../../lib/errors";
import { dateOf, duration, eventually, span } from "../../lib/time";
import { type Cluster, list } from "../clients/kubectl";

/** A Kubernetes Job: a run of a scheduled job, or a Job that a person started. */
interface Job {
  readonly metadata: { readonly name: string };
  readonly status: { readonly active?: number; readonly startTime?: string };
}

/** Milliseconds to wait before the next check of the running jobs. */
const pauseMs = 5_000;

/**
 * Returns the jobs that run now in a namespace, one text for each job, such as
 * `Job export-1 (running for 4 min)`. The Job of a long migration is not in the list, because a
 * deploy itself waits for this Job. The Job of a twin is not in the list, because the twin only
 * serves the requests of the person who debugs.
 */
export async function runningJobs(
  namespace: string,
  cluster: Pick<Cluster, "kubectl">,
  now = new Date(),
): Promise<readonly string[]> {
  const which = ["--namespace", namespace, "--selector", `!${copyLabels.twin}`];
  const jobs = await list<Job>(cluster, "jobs", which);
  return jobs
    .filter(({ metadata }) => versionOfJob(metadata.name) === undefined)
    .filter(({ status }) => (status.active ?? 0) > 0)
    .map(({ metadata, status }) => {
      const started = dateOf(status.startTime);
      const since = started && ` (running for ${span(now.getTime() - started.getTime())})`;
      return `Job ${metadata.name}${since ?? ""}`;
    });
}

/**
 * Returns a note for a preview if jobs would run at the same time as the database migration of a
 * deploy. Empty if no job runs.
 */
export function duringMigration(jobs: readonly string[]): readonly string[] {
  return jobs.length === 0
    ? []
    : [
        `the migration would run at the same time as ${jobs.join(", ")}. To wait until no job runs: npm run deploy with --wait-for-jobs 30m`,
      ];
}

/**
 * Waits until no job runs in a namespace. Also waits for jobs that start during the wait.
 *
 * @param limitMs - longest wait in milliseconds
 * @throws UserError if, after `limitMs`, jobs still run or the cluster does not answer. The error
 * lists these jobs.
 */
export async function untilNoJobRuns(
  namespace: string,
  cluster: Pick<Cluster, "kubectl">,
  limitMs: number,
  pause = pauseMs,
): Promise<void> {
  let running: readonly string[] = [];
  let told = "";
  const ended = await eventually(
    async () => {
      running = await runningJobs(namespace, cluster);
      const names = running.join(", ");
      // `names` contains how long each job has run, for example in minutes. If this text has
      // changed, the message appears again.
      if (names !== told && names !== "") {
        console.log(`Waiting for ${names}, at most ${duration(limitMs)}`);
      }
      told = names;
      return running.length === 0;
    },
    limitMs,
    pause,
  );
  if (ended) return;
  const why =
    running.length === 0
      ? "the cluster does not answer"
      : `these jobs still run: ${running.join(", ")}`;
  throw new UserError(`After ${duration(limitMs)}, ${why}. Nothing was changed.`);
}
