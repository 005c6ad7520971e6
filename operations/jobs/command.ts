import { withoutSecrets } from "../../components/conventions/secrets/masked";
import { UserError } from "../../lib/errors";
import { columns } from "../../lib/table";
import { duration } from "../../lib/time";
import type { Pod } from "../clients/kubectl";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { timeIn } from "./due-times";
import { endOfRun } from "./ends";
import { podsOfRuns, printLogs } from "./logs";
import { type ScheduledJobs, jobNamed, readJobs } from "./read";
import { runNow } from "./run-now";
import type { JobStatus, Run } from "./runs";
import { stopRun } from "./stop";

export interface JobsOptions {
  readonly json?: boolean;
  /**
   * Name of the run whose log the command prints, or that the command stops. Default for a log: the
   * newest run. Default for a stop: the newest run that has not ended.
   */
  readonly run?: string;
  readonly yes?: boolean;
}

/** The values of ACTION: what the command can do with a job or with one of its runs. */
const jobActions = ["logs", "run", "stop"] as const;

/**
 * `npm run jobs -- STACK`: prints each scheduled job with its last run, its next run and its missed
 * runs. `npm run jobs -- STACK ACTION JOB` starts or stops a run of a job, or prints the log of a
 * run.
 *
 * @throws UserError if the stack, the action or the job is unknown, if the job has no run to print
 * or to stop, or if the cluster does not answer.
 */
export async function jobs(
  stack: string,
  action: string | undefined,
  name: string | undefined,
  { json = false, run, yes = false }: JobsOptions = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const chosen = jobActions.find((one) => one === action);
  if (action !== undefined && (chosen === undefined || name === undefined)) {
    const forms = jobActions.map((one) => `npm run jobs -- ${stack} ${one} JOB`).join(", ");
    const what = chosen === undefined ? `Unknown action "${action}"` : `"${action}" needs a job`;
    throw new UserError(`${what}. Expected one of: ${forms}`);
  }
  const read = await readJobs(stack, workspace);
  if (chosen === undefined || name === undefined) {
    if (json) console.log(JSON.stringify({ jobs: read.jobs, stack, version: 1 }, undefined, 2));
    else console.log((await linesOf(stack, read)).join("\n"));
    return;
  }
  const job = jobNamed(name, read);
  if (chosen === "run") return runNow(stack, job, read, yes);
  const one = runNamed(run, job, chosen === "stop");
  if (chosen === "stop") return stopRun(stack, one, read, yes);
  await printLogs(one.name, read);
}

/**
 * @param running whether to ignore runs that have ended. Has no effect if `name` is set.
 * @throws UserError if the job has no run with this name, or if `name` is undefined and there is no
 * run to choose
 */
function runNamed(name: string | undefined, job: JobStatus, running: boolean): Run {
  const of = `of job "${job.name}"`;
  if (name === undefined) {
    const found = job.runs.find(({ result }) => !running || result === "running");
    if (found !== undefined) return found;
    throw new UserError(
      `No run ${of} ${running ? "is in progress" : "is left in the cluster"}. Nothing was changed.`,
    );
  }
  const found = job.runs.find((run) => run.name === name);
  if (found !== undefined) return found;
  const names = job.runs.map((run) => run.name).join(", ");
  throw new UserError(
    `The cluster has no run "${name}" ${of}. It has ${names === "" ? "none" : names}.`,
  );
}

/** Returns the lines of the list of jobs. */
async function linesOf(stack: string, read: ScheduledJobs): Promise<readonly string[]> {
  const { jobs: all, namespace } = read;
  if (all.length === 0) return [`Stack ${stack} has no jobs in namespace ${namespace}.`];
  const heading = ["job", "schedule", "last run", "result", "took", "next run", "missed runs"];
  const someFailed = all.some(({ runs: [last] }) => last?.result === "failed");
  // Requests the pods of all runs together, because many jobs can fail at the same time.
  const pods = someFailed ? await podsOfRuns(read) : new Map<string, readonly Pod[]>();
  return [
    ...columns([heading, ...all.map(rowOf)]),
    ...all.flatMap((job) => [...failure(stack, job, pods), ...missed(job)]),
  ];
}

function rowOf(job: JobStatus): readonly string[] {
  const { missed: without, name, next, runs, schedule } = job;
  const { suspend = false, timeZone } = schedule;
  const [last] = runs;
  return [
    name,
    timeZone === undefined ? schedule.schedule : `${schedule.schedule} (${timeZone})`,
    last === undefined ? "-" : timeIn(last.due ?? last.started, timeZone),
    last?.result ?? "-",
    last?.ended === undefined ? "-" : duration(last.ended.getTime() - last.started.getTime()),
    suspend ? "suspended" : next === undefined ? "never" : timeIn(next, timeZone),
    suspend ? "-" : String(without.length),
  ];
}

/**
 * Returns lines that say why the newest run failed, how its last container ended, and how to read
 * its log. Empty if this run did not fail.
 */
function failure(
  stack: string,
  { name, runs: [last] }: JobStatus,
  pods: ReadonlyMap<string, readonly Pod[]>,
): readonly string[] {
  if (last?.result !== "failed") return [];
  const why = withoutSecrets(endOfRun(last, pods.get(last.name) ?? [])).split("\n");
  return [
    "",
    `${name}: run ${last.name} failed`,
    ...why.map((line) => `  ${line}`),
    `  Log: npm run jobs -- ${stack} logs ${name}`,
  ];
}

/** Returns lines with the newest due times that have no run. Empty if each due time has a run. */
function missed({ missed: without, name, schedule, since }: JobStatus): readonly string[] {
  if (without.length === 0) return [];
  const most = 3;
  const { timeZone } = schedule;
  const times = without.slice(0, most).map((time) => timeIn(time, timeZone));
  const more = without.length > most ? ` and ${String(without.length - most)} more` : "";
  return [
    "",
    `${name}: no run at ${times.join(", ")}${more} (the list begins at ${timeIn(since, timeZone)})`,
  ];
}
