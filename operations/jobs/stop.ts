import { confirmProtected } from "../stacks/confirm-protected";
import type { ScheduledJobs } from "./read";
import type { Run } from "./runs";

/**
 * Stops a run: Kubernetes stops the pods of the run and does not start new pods. `npm run jobs`
 * shows the run as failed, with the cause `DeadlineExceeded`. Kubernetes deletes the pods and their
 * logs.
 */
export async function stopRun(
  stack: string,
  run: Run,
  { cluster, namespace }: ScheduledJobs,
  yes: boolean,
): Promise<void> {
  console.error(`Stack ${stack}, namespace ${namespace}: stops run ${run.name}`);
  await confirmProtected(stack, yes, "stop a run in stack");
  const patch = JSON.stringify({ spec: { activeDeadlineSeconds: 1 } });
  const args = ["--namespace", namespace, "patch", "job", run.name, "--patch", patch];
  await cluster.kubectl(args, 30_000);
  console.error(`Run ${run.name} is stopped`);
}
