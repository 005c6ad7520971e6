import { foreignLabel } from "../../components/conventions/labels";
import { type Workspace, ask, whenUnlocked } from "./run-pulumi";
import { drawnManager } from "./field-managers";
import {
  type LiveObject,
  type Seen,
  goneFrom,
  isSame,
  keyOf,
  live,
  nothingSeen,
  seenIn,
} from "./live-objects";
import { removeDeadLocks } from "./locks";
import { begunInAws } from "./pending-aws";
import type { Cluster } from "../clients/kubectl";
import { type Deployment, type StateResource, begunIn, editState, stateOf } from "./stacks";

/**
 * Brings a stack's state to what is there, if its last update was killed or someone has deleted
 * objects. The next update continues from there.
 *
 * After a kill it removes that update's lock, asks the cluster about everything in the state, and
 * adopts the objects that the update had begun to create. Without a refresh, Pulumi would say that
 * nothing changes although objects are gone, because it compares with its state only.
 *
 * @returns what it has read. Empty if it has changed the state.
 */
export async function recoverState(
  stack: string,
  cluster: Pick<Cluster, "kubectl">,
  workspace: Workspace,
): Promise<Seen> {
  let seen = nothingSeen;
  await removeDeadLocks(stack, workspace);
  // Another update that is in progress also has pending operations, and may have finished them by
  // the next try.
  await whenUnlocked(stack, workspace, async () => {
    const { begun, pending, resources } = await stateOf(stack, workspace);
    if (!pending) {
      seen = await seenIn(resources, cluster);
      const gone = goneFrom(seen);
      if (gone.length === 0) return;
      for (const { kind, metadata } of gone) console.log(`  ${kind} ${metadata.name} was deleted`);
      console.log("  asking the cluster what is left");
      // After the refresh, the state has the fields of the cluster: there is nothing to compare.
      seen = nothingSeen;
    }
    const refresh = ["refresh", "--stack", stack, "--yes", "--skip-preview"];
    // Finishes the changes and deletions that had begun. What the update was creating stays in the
    // state until the next step.
    await ask(refresh, workspace);
    if (!(await stateOf(stack, workspace)).pending) return;
    const inAws = await begunInAws(begun, workspace.env);
    await editState(
      stack,
      async (deployment) => {
        const { resources = [] } = deployment;
        const found = await live(begunObjects(deployment), resources, cluster);
        return withBegun({ ...deployment, resources: [...resources, ...inAws] }, found);
      },
      workspace,
    );
    if (inAws.length > 0) await ask(refresh, workspace);
  });
  return seen;
}

/** Objects of a cluster that an update had begun to create. */
function begunObjects(deployment: Deployment): readonly StateResource[] {
  return begunIn(deployment).filter(
    ({ inputs, type }) => type.startsWith("kubernetes:") && typeof inputs?.["kind"] === "string",
  );
}

/**
 * The state that the update would have left if it had recorded these objects before it was killed.
 * Each object keeps the field manager that created it. With another field manager, the next update
 * would be in conflict with the killed one.
 */
export function withBegun(deployment: Deployment, found: readonly LiveObject[]): Deployment {
  let resources = deployment.resources ?? [];
  for (const resource of begunObjects(deployment)) {
    const object = found.find((one) => isSame(one, keyOf(resource)));
    const adopted = object && adoption(resource, object);
    if (adopted === undefined) continue;
    const known = resources.filter(({ urn }) => urn === adopted.urn);
    if (known.some(({ id }) => id === adopted.id)) continue;
    // This takes the place of an object that was deleted and does not exist yet.
    resources = resources.filter((one) => !known.includes(one) || one.pendingReplacement !== true);
    // If another object still serves, this object is unused: the next update deletes it.
    const serves = known.some((one) => one.delete !== true && one.pendingReplacement !== true);
    resources = [...resources, serves ? { ...adopted, delete: true } : adopted];
  }
  return { ...deployment, pending_operations: [], resources };
}

/**
 * Undefined for an object that this update has not made, and for one that another owner has made
 * and will keep.
 */
function adoption(resource: StateResource, object: LiveObject): StateResource | undefined {
  if (resource.retainOnDelete === true) return undefined;
  const { labels: wanted = {} } = keyOf(resource).metadata;
  if (foreignLabel(object.metadata.labels ?? {}, wanted) !== undefined) return undefined;
  const { managedFields = [], name, namespace } = object.metadata;
  const manager = managedFields
    .filter((one) => one.operation === "Apply" && drawnManager.test(one.manager))
    .sort((one, other) => (one.time ?? "").localeCompare(other.time ?? ""))
    .at(-1)?.manager;
  if (manager === undefined) return undefined;
  const { inputs = {} } = resource;
  console.log(`  adopting ${object.kind} ${name}, which the killed update had begun to create`);
  return {
    ...resource,
    id: namespace === undefined ? name : `${namespace}/${name}`,
    initErrors: ["The update that made it was killed: whether it is ready is not known."],
    // What the provider keeps. Only the metadata come from the cluster: a Secret's data must stay
    // encrypted.
    outputs: {
      ...inputs,
      metadata: object.metadata,
      __fieldManager: manager,
      __initialApiVersion: object.apiVersion,
      __inputs: inputs,
    },
  };
}
