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
 * Corrects a stack's state after the stack's last update was killed, or after someone deleted
 * objects in the cluster. The next update then creates what is missing.
 *
 * After a kill, this function removes the lock of the killed update, refreshes the state, and
 * adopts the objects that the update had begun to create. The refresh is necessary because Pulumi
 * compares the program with the state, and not with the cluster. Without the refresh, Pulumi would
 * not notice that objects are missing.
 *
 * @returns the objects that this function has read from the cluster. Empty if this function has
 * changed the state.
 */
export async function recoverState(
  stack: string,
  cluster: Pick<Cluster, "kubectl">,
  workspace: Workspace,
): Promise<Seen> {
  let seen = nothingSeen;
  await removeDeadLocks(stack, workspace);
  // The state has pending operations after a killed update, and also during an update in progress.
  // While this code waits for the lock, the update in progress may finish its operations. So each
  // try reads the state again.
  await whenUnlocked(stack, workspace, async () => {
    const { begun, pending, resources } = await stateOf(stack, workspace);
    if (!pending) {
      seen = await seenIn(resources, cluster);
      const gone = goneFrom(seen);
      if (gone.length === 0) return;
      for (const { kind, metadata } of gone) {
        console.log(`  ${kind} ${metadata.name} is missing in the cluster`);
      }
      console.log("  refreshing the state from the cluster");
      // The refresh copies the fields of the objects in the cluster to the state. After the
      // refresh, a comparison of the cluster with the state would find no difference. So this
      // function returns no objects.
      seen = nothingSeen;
    }
    const refresh = ["refresh", "--stack", stack, "--yes", "--skip-preview"];
    // The refresh resolves interrupted changes and deletions. Interrupted creations stay in the
    // state as pending operations, and `editState` below resolves them.
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

/** Returns the Kubernetes objects that a killed update had begun to create. */
function begunObjects(deployment: Deployment): readonly StateResource[] {
  return begunIn(deployment).filter(
    ({ inputs, type }) => type.startsWith("kubernetes:") && typeof inputs?.["kind"] === "string",
  );
}

/**
 * Adds objects to the state: the objects that a killed update had begun to create. The state is
 * then as if that update had recorded the objects. For each object, the state then contains the
 * field manager of the killed update. With a different field manager, the next update would have
 * conflicts.
 */
export function withBegun(deployment: Deployment, found: readonly LiveObject[]): Deployment {
  let resources = deployment.resources ?? [];
  for (const resource of begunObjects(deployment)) {
    const object = found.find((one) => isSame(one, keyOf(resource)));
    const adopted = object && adoption(resource, object);
    if (adopted === undefined) continue;
    const known = resources.filter(({ urn }) => urn === adopted.urn);
    if (known.some(({ id }) => id === adopted.id)) continue;
    // If the killed update had already deleted the old object, the adopted object replaces the old
    // object. The state then no longer needs the entry of the old object.
    resources = resources.filter((one) => !known.includes(one) || one.pendingReplacement !== true);
    // If the old object is still in use, this code marks the adopted object in the state. The next
    // update then deletes the adopted object.
    const serves = known.some((one) => one.delete !== true && one.pendingReplacement !== true);
    resources = [...resources, serves ? { ...adopted, delete: true } : adopted];
  }
  return { ...deployment, pending_operations: [], resources };
}

/**
 * Returns the state's entry for an object that the killed update had begun to create. Undefined if
 * no Pulumi update created the object, if the object belongs to another owner, or if the resource
 * has the option `retainOnDelete`.
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
    initErrors: ["The update that created this object was killed. The object may not be ready."],
    // The outputs have the form in which the Kubernetes provider stores them. The data of an object
    // comes from the inputs and not from the cluster, because a Secret's data must stay encrypted.
    outputs: {
      ...inputs,
      metadata: object.metadata,
      __fieldManager: manager,
      __initialApiVersion: object.apiVersion,
      __inputs: inputs,
    },
  };
}
