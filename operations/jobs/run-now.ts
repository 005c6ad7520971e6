import { setTimeout as sleep } from "node:timers/promises";
import { copyLabels } from "../../components/conventions/one-off/copies";
import { UserError } from "../../lib/errors";
import { duration } from "../../lib/time";
import type { Pod } from "../clients/kubectl";
import { confirmProtected } from "../stacks/confirm-protected";
import { FirstContainer, notBegun } from "./first-container";
import { PodLog, podsOf } from "./logs";
import type { ScheduledJobs } from "./read";
import { type Job, type JobStatus, runOf } from "./runs";

/** Milliseconds to wait before the command reads the run's Job and pods again. */
const pauseMs = 1_000;

/**
 * Starts a run of a scheduled job now: creates a Job from the CronJob's template. Prints the run's
 * log until the run ends. If someone interrupts this command, the run continues.
 *
 * If the run succeeded, sets the exit code of this process to 0. If the run failed, sets the exit
 * code to the exit code of the run's last container. Sets the exit code to 125 if no container
 * could start, or if the cluster has no terminated container of the failed run.
 *
 * @throws UserError if a run of the job is in progress, or the person does not confirm.
 */
export async function runNow(
  stack: string,
  job: JobStatus,
  where: ScheduledJobs,
  yes: boolean,
): Promise<void> {
  const { namespace } = where;
  const busy = job.runs.find(({ result }) => result === "running");
  if (busy !== undefined) {
    throw new UserError(
      `Run ${busy.name} is in progress. To read its log: npm run jobs -- ${stack} logs ${job.name}. Nothing was changed.`,
    );
  }
  // The name of a Job may have at most 63 characters. The name of a CronJob has at most 52
  // characters, and the suffix has 7 or 8 characters. So this name has at most 60 characters.
  const run = `${job.name}-${Math.floor(Date.now() / 1000).toString(36)}`;
  console.error(`Stack ${stack}, namespace ${namespace}: starts ${run}`);
  await confirmProtected(stack, yes, "start a run in stack");
  await create(run, job.name, where);
  const again = `npm run jobs -- ${stack} logs ${job.name} --run ${run}`;
  const onStop = (): void => {
    console.error(`\nThe run continues. Its log: ${again}`);
    process.exit(130);
  };
  process.once("SIGINT", onStop);
  try {
    process.exitCode = await followed(run, where);
  } finally {
    process.off("SIGINT", onStop);
  }
}

/** Creates a Job from the CronJob's template, and adds a label with the name of the CronJob. */
async function create(
  run: string,
  cronJob: string,
  { cluster, namespace }: ScheduledJobs,
): Promise<void> {
  const at = ["--namespace", namespace, "create"];
  const from = ["job", run, `--from=cronjob/${cronJob}`, "--dry-run=client", "--output", "json"];
  const made = JSON.parse(await cluster.kubectl([...at, ...from], 30_000)) as {
    readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  };
  const labels = { ...made.metadata.labels, [copyLabels.scheduled]: cronJob };
  const job = { ...made, metadata: { ...made.metadata, labels } };
  await cluster.kubectl([...at, "--filename", "-"], 30_000, JSON.stringify(job));
}

/**
 * Prints the log of a run until the run ends.
 *
 * @returns 0 if the run succeeded. If the run failed, the exit code of the run's last container.
 * 125 if no container could start, or if the cluster has no terminated container of the failed run.
 */
async function followed(run: string, where: ScheduledJobs): Promise<number> {
  const { cluster, namespace } = where;
  const started = Date.now();
  const logs = new Map<string, PodLog>();
  const first = new FirstContainer(run, namespace, started);
  for (;;) {
    const answer = await cluster.kubectl(
      ["--namespace", namespace, "get", "job", run, "--output", "json"],
      30_000,
    );
    const { cause, result } = runOf(JSON.parse(answer) as Job);
    const pods = await podsOf(run, where);
    for (const { metadata, status } of pods) {
      if (status.phase === "Pending") continue;
      const log = logs.get(metadata.name) ?? new PodLog(metadata.name, where);
      logs.set(metadata.name, log);
      await log.print();
    }
    const took = duration(Date.now() - started);
    if (result === "succeeded") {
      console.error(`${run} succeeded after ${took}`);
      return 0;
    }
    if (result === "failed") {
      console.error(`${run} failed after ${took}: ${cause ?? "Kubernetes gives no cause"}`);
      return pods.map(exitCodeOf).findLast((code) => code !== undefined) ?? notBegun;
    }
    const why = first.issue(pods);
    if (why !== undefined && logs.size === 0) {
      console.error(`${run} cannot start: ${why}`);
      return notBegun;
    }
    await sleep(pauseMs);
  }
}

/**
 * Exit code of a pod's container, if the container has ended. The code is 137 if the container was
 * killed (SIGKILL), for example because the container used too much memory.
 */
const exitCodeOf = ({ status: { containerStatuses = [] } }: Pod): number | undefined =>
  containerStatuses
    .map(({ state }) => state?.terminated?.exitCode)
    .find((code) => code !== undefined);
