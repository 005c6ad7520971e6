import { reasonOf } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { connectToCluster } from "../pulumi/connect";
import { seenIn } from "../pulumi/live-objects";
import type { Workspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { withoutRelease } from "../stacks/release";
import { type State, outputsIn, stateOf } from "../pulumi/stacks";
import type { Note } from "../preview/result-of";
import { duringMigration, runningJobs } from "../stacks/running-jobs";
import { type Drift, driftOf, linesOf } from "./drift";
import { olderThanSecrets } from "./old-pods";

/** Result of a comparison of the state with the cluster. */
export interface Seen {
  readonly drift: Drift;
  /** Descriptions of the Kubernetes Jobs that run now, one for each Job. */
  readonly jobs: readonly string[];
  /** Pods that may have an old value of a Secret, one line for each component and Secret. */
  readonly oldPods: readonly string[];
}

/**
 * Compares the state with the cluster. Undefined if the stack does not exist.
 *
 * @throws UserError if the state backend or the cluster does not answer, or if the cluster that
 * answers is not the cluster of the stack.
 */
export async function readDrift(stack: string, workspace: Workspace): Promise<Seen | undefined> {
  const settings = await settingsOf(stack, workspace);
  const [cluster, state] = await Promise.all([
    connectToCluster(settings, workspace),
    stateIfThere(stack, workspace),
  ]);
  if (state === undefined) return undefined;
  const uid = outputsIn(state.resources)["clusterUid"];
  if (typeof uid === "string" && uid !== cluster.uid) {
    throw new UserError(
      `Stack "${stack}" is in the cluster ${uid}, but the kubeconfig points to ${cluster.uid}: choose the right context.`,
    );
  }
  const [seen, jobs, oldPods] = await Promise.all([
    seenIn(state.resources, cluster),
    runningJobs(settings.namespace, cluster),
    olderThanSecrets(settings.namespace, cluster),
  ]);
  return { drift: driftOf(seen), jobs, oldPods };
}

/**
 * Returns the notes for a preview: what someone has changed in the cluster, which pods use old
 * values of Secrets, and which jobs run. If the function cannot read the state or the cluster, the
 * only note says why.
 */
export async function driftNotes(stack: string, workspace: Workspace): Promise<readonly Note[]> {
  try {
    const seen = await readDrift(stack, withoutRelease(workspace));
    if (seen === undefined) return [];
    const { drift, jobs, oldPods } = seen;
    return [
      ...notesOf(drift),
      ...oldPods,
      ...duringMigration(jobs).map((ifPodsChange) => ({ ifPodsChange })),
    ];
  } catch (error) {
    const [reason = ""] = reasonOf(error).split("\n");
    return [`cannot tell what was changed in the cluster: ${reason}`];
  }
}

export const notesOf = (drift: Drift): readonly string[] =>
  linesOf(drift).map((line) => `changed in the cluster: ${line}`);

async function stateIfThere(stack: string, workspace: Workspace): Promise<State | undefined> {
  try {
    return await stateOf(stack, workspace);
  } catch (error) {
    if (error instanceof Error && error.message.includes("no stack named")) return undefined;
    throw error;
  }
}
