import { defined } from "../../../components/conventions/with-defaults";
import { reasonOf } from "../../../lib/command";
import { dateOf, hour, span } from "../../../lib/time";
import type { Settings } from "../../../settings";
import { environments } from "../../../environments";
import type { Cluster } from "../../clients/kubectl";
import { jobsIn } from "../../jobs/read";
import type { JobStatus } from "../../jobs/runs";
import { type Workspace, stateOfProject } from "../../pulumi/run-pulumi";
import { readMemory } from "./memory";

/** The last run of the job notifier for a stack. */
export interface NotifierStatus {
  /**
   * Time of the last successful run. A successful run has sent all messages. Undefined if no run
   * has succeeded.
   */
  readonly ran?: Date;
  /** Why the newest run failed. Undefined if the newest run succeeded. */
  readonly trouble?: string;
}

/**
 * Time in milliseconds. If the notifier has not succeeded for longer than this time, the text
 * contains this fact. The pipeline `notify.yml` runs the notifier every 15 minutes.
 */
const lateAfterMs = hour;

/**
 * Reads when the job notifier last succeeded, and why its newest run failed. Undefined if the
 * notifier has never run for the stack.
 */
export async function readNotifier(
  stack: string,
  workspace: Workspace,
): Promise<NotifierStatus | undefined> {
  const memory = await readMemory(stack, stateOfProject(workspace));
  return memory && defined({ ran: dateOf(memory.ran), trouble: memory.trouble });
}

/**
 * Returns a text that says when the notifier last succeeded, such as `last ran 12 min ago`. If the
 * notifier has never run, the text contains the names of the jobs with `onFailure`. Undefined if
 * the notifier has never run and no job has `onFailure`.
 */
export function notifierLine(
  notifier: NotifierStatus | undefined,
  jobs: readonly JobStatus[],
  now = new Date(),
): string | undefined {
  if (notifier === undefined) {
    const names = jobs.filter(({ onFailure }) => onFailure !== undefined).map(({ name }) => name);
    return names.length === 0
      ? undefined
      : `has never run: until it runs, no one gets a message when ${names.join(" or ")} fails (docs/guide/jobs.md)`;
  }
  const { ran, trouble } = notifier;
  const age = ran && now.getTime() - ran.getTime();
  const why = trouble ?? "look at the pipeline notify.yml";
  if (age === undefined) return `has never succeeded: ${why}`;
  if (age > lateAfterMs) return `has not succeeded for ${span(age)}: ${why}`;
  return `last ran ${span(age)} ago${trouble === undefined ? "" : `, and then failed: ${trouble}`}`;
}

/**
 * Returns the line about the job notifier at the end of a deploy. Undefined in two cases: the
 * environment has no jobs, or the notifier has never run and no job has `onFailure`. If the
 * function cannot read the state backend or the cluster, the line contains the reason. The function
 * throws no error, because the deploy has succeeded.
 */
export async function notifierNote(
  { environment, identity, namespace, stack }: Settings,
  cluster: Cluster,
  workspace: Workspace,
): Promise<string | undefined> {
  if (environments[environment].jobs === "none") return undefined;
  const line = await Promise.all([
    readNotifier(stack, workspace),
    jobsIn({ identity, namespace }, cluster),
  ]).then(
    ([notifier, jobs]) => notifierLine(notifier, jobs),
    (error: unknown) => `unknown: ${reasonOf(error).split("\n")[0] ?? ""}`,
  );
  return line === undefined ? undefined : `job notifier: ${line}`;
}
