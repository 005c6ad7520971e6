import { instanceSelector } from "../../components/conventions/labels";
import { UserError } from "../../lib/errors";
import type { Settings } from "../../settings";
import { type Cluster, list, withLabels } from "../clients/kubectl";
import { connectToCluster } from "../pulumi/connect";
import type { Workspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { withoutRelease } from "../stacks/release";
import { assertStackName } from "../stacks/stack-name";
import { type CronJob, type Job, type JobStatus, statusesOf } from "./runs";

/** The scheduled jobs of a stack, and the cluster that runs them. */
export interface ScheduledJobs {
  readonly cluster: Cluster;
  readonly jobs: readonly JobStatus[];
  readonly namespace: string;
}

/**
 * Reads the scheduled jobs of a stack, and their runs, from the cluster. Does not read the stack's
 * state.
 *
 * @throws UserError if the stack is unknown, or the cluster does not answer.
 */
export async function readJobs(
  stack: string,
  given: Workspace,
  now = new Date(),
): Promise<ScheduledJobs> {
  assertStackName(stack);
  const workspace = withoutRelease(given);
  const settings = await settingsOf(stack, workspace);
  const cluster = await connectToCluster(settings, workspace);
  const jobs = await jobsIn(settings, cluster, now);
  return { cluster, jobs, namespace: settings.namespace };
}

/** Reads the scheduled jobs of a stack. The caller is already connected to the stack's cluster. */
export async function jobsIn(
  { identity, namespace }: Pick<Settings, "identity" | "namespace">,
  cluster: Cluster,
  now = new Date(),
): Promise<readonly JobStatus[]> {
  const where = ["--namespace", namespace, ...withLabels(instanceSelector(identity))];
  const [cronJobs, jobs] = await Promise.all([
    list<CronJob>(cluster, "cronjobs", [...where, "--show-managed-fields"]),
    list<Job>(cluster, "jobs", where),
  ]);
  return statusesOf(cronJobs, jobs, now);
}

/** @throws UserError that lists the stack's jobs, if no job has this name. */
export function jobNamed(name: string, { jobs }: Pick<ScheduledJobs, "jobs">): JobStatus {
  const found = jobs.find((job) => job.name === name);
  if (found !== undefined) return found;
  const names = jobs.map((job) => job.name).join(", ");
  throw new UserError(
    jobs.length === 0
      ? `There is no job "${name}": the stack has no jobs.`
      : `There is no job "${name}". The stack has ${names}.`,
  );
}
