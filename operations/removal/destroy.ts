import { reports } from "../../lib/reports";
import { duration, moment } from "../../lib/time";
import type { Kubectl } from "../clients/kubectl";
import { type LiveObject, seenIn } from "../pulumi/live-objects";
import { type Workspace, change } from "../pulumi/run-pulumi";
import { type StateResource, stateOf } from "../pulumi/stacks";

/**
 * Milliseconds between two checks, and before the first check. A check finds the objects that
 * `pulumi destroy` waits for.
 */
const intervalMs = 30_000;

/**
 * Finalizers that Kubernetes itself removes. An object with only these finalizers does not wait for
 * another controller.
 */
const ofKubernetes = new Set(["foregroundDeletion", "orphan"]);

/**
 * Runs `pulumi destroy`. Every 30 s, the function prints each object that Kubernetes cannot delete
 * yet because a controller has not removed a finalizer from the object. Pulumi itself waits for 10
 * minutes, and then fails without giving this reason.
 *
 * @param known - the state's resources, if the caller has read them
 */
export async function destroy(
  stack: string,
  cluster: { readonly kubectl: Kubectl },
  workspace: Workspace,
  known?: readonly StateResource[],
): Promise<void> {
  const resources = known ?? (await stateOf(stack, workspace)).resources;
  await sayingWhatHolds(resources, cluster, async () => change("destroy", stack, workspace));
}

/**
 * Runs `work`, and prints at each interval which objects wait for a controller to remove a
 * finalizer. If `work` fails, the function adds the lines from the last check to the causes of the
 * failure (`reports.addCause`).
 */
export async function sayingWhatHolds(
  resources: readonly StateResource[],
  cluster: { readonly kubectl: Kubectl },
  work: () => Promise<void>,
  interval = intervalMs,
): Promise<void> {
  let looking = Promise.resolve();
  let lines: readonly string[] = [];
  const look = async (): Promise<void> => {
    const { objects } = await seenIn(resources, cluster);
    lines = held(objects);
    for (const line of lines) console.log(line);
  };
  const timer = setInterval(() => {
    // Ignores an error of the check, because the removal does not depend on the check.
    looking = look().catch(() => undefined);
  }, interval);
  try {
    await work();
  } catch (error) {
    for (const line of lines) reports.addCause(line.trim());
    throw error;
  } finally {
    clearInterval(timer);
    await looking;
  }
}

/**
 * Returns one line for each object that Kubernetes cannot delete yet, because a controller has not
 * removed a finalizer from the object.
 */
export function held(objects: readonly LiveObject[], now = new Date()): readonly string[] {
  return objects.flatMap(({ kind, metadata }) => {
    const { deletionTimestamp, finalizers = [], name, namespace } = metadata;
    const foreign = finalizers.filter((one) => !ofKubernetes.has(one));
    if (deletionTimestamp === undefined || foreign.length === 0) return [];
    const since = new Date(deletionTimestamp);
    const where = namespace === undefined ? "" : ` -n ${namespace}`;
    return [
      `  ${kind} ${name} waits for ${foreign.join(", ")} since ${moment(since)} (${duration(now.getTime() - since.getTime())}): ` +
        `the controller that added this finalizer has not removed it. Look: kubectl${where} describe ${kind.toLowerCase()} ${name}`,
    ];
  });
}
