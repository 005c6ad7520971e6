import { foreignLabel } from "../../../components/conventions/labels";
import { type Workspace, ask, whenUnlocked } from "../run-pulumi";
import {
  type Key,
  type Listing,
  type LiveObject,
  type Seen,
  goneFrom,
  isClusterOf,
  isReadable,
  isSame,
  keyOf,
  live,
  nothingSeen,
  seenIn,
} from "../live-objects";
import { removeDeadLocks } from "../locks";
import { begunInAws } from "./pending-aws";
import type { Cluster } from "../../clients/kubectl";
import {
  type Deployment,
  type State,
  type StateResource,
  begunIn,
  editState,
  stateOf,
} from "../stacks";
import { isAutonamed, matched } from "./entries";
import {
  type ChangedLater,
  type OwnNamespace,
  changedLater,
  isDeletable,
  isListed,
  isObject,
  managerOf,
  missingIn,
  objectsIn,
  plannedSteps,
  roleBindings,
} from "./unrecorded";

/**
 * Corrects a stack's state after the stack's last update was killed, or after someone deleted
 * objects in the cluster. The next update then creates what is missing.
 *
 * After a kill, this function removes the lock of the killed update, refreshes the state, and
 * adopts the objects that the update had begun to create. The refresh is necessary because Pulumi
 * compares the program with the state, and not with the cluster. Without the refresh, Pulumi would
 * not notice that objects are missing.
 *
 * @param own - the stack's own namespace. Updates of such a stack write the state only at their
 * end, so this function also finds out from the cluster what a killed update has done.
 * @returns the objects that this function has read from the cluster. Empty if this function has
 * changed the state.
 */
export async function recoverState(
  stack: string,
  cluster: Pick<Cluster, "kubectl">,
  workspace: Workspace,
  own?: OwnNamespace,
): Promise<Seen> {
  let seen = nothingSeen;
  await removeDeadLocks(stack, workspace);
  // The state has pending operations after a killed update, and also during an update in progress.
  // While this code waits for the lock, the update in progress may finish its operations. So each
  // try reads the state again.
  await whenUnlocked(stack, workspace, async () => {
    const state = await stateOf(stack, workspace);
    const objects = own && (await objectsIn(own, cluster));
    const listing = own && objects && { namespace: own.namespace, objects };
    seen = state.pending ? nothingSeen : await seenIn(state.resources, cluster, listing);
    const changed = changedLater(seen);
    let { resources } = state;
    const gone = [...goneFrom(seen), ...(await unreadableGone(resources, listing, cluster))];
    for (const { kind, metadata } of gone) {
      console.log(`  ${kind} ${metadata.name} is missing in the cluster`);
    }
    if (gone.length > 0) console.log("  refreshing the state from the cluster");
    if (state.pending || gone.length > 0) {
      await refresh(stack, state, cluster, workspace);
      // The refresh copies the fields of the objects in the cluster to the state. After the
      // refresh, a comparison of the cluster with the state would find no difference. So this
      // function returns no objects.
      seen = nothingSeen;
      if (listing !== undefined) ({ resources } = await stateOf(stack, workspace));
    }
    if (own === undefined || objects === undefined) return;
    const killed = { changed, missing: missingIn(resources, objects, own) };
    // An object that a review job must not delete can stay without an entry in the state.
    if (!killed.missing.some(isDeletable) && changed.length === 0) return;
    if (!(await isClusterOf(resources, cluster))) return;
    seen = nothingSeen;
    await recordKilled(stack, own, killed, cluster, workspace);
  });
  return seen;
}

/**
 * Returns the objects of the stack's own namespace that are in the state but not in the cluster,
 * and that `seenIn` does not read, such as Secrets.
 */
async function unreadableGone(
  resources: readonly StateResource[],
  listing: Listing | undefined,
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly Key[]> {
  if (listing === undefined) return [];
  const unreadable = resources.filter(
    (one) =>
      one.id !== undefined &&
      one.delete !== true &&
      !isReadable(one.type) &&
      isListed(one, listing),
  );
  const gone = goneFrom({ objects: listing.objects, resources: unreadable });
  return gone.length > 0 && (await isClusterOf(resources, cluster)) ? gone : [];
}

/**
 * Runs `pulumi refresh`, and adds to the state the objects that a killed update had begun to
 * create.
 */
async function refresh(
  stack: string,
  { begun }: Pick<State, "begun">,
  cluster: Pick<Cluster, "kubectl">,
  workspace: Workspace,
): Promise<void> {
  const args = ["refresh", "--stack", stack, "--yes", "--skip-preview"];
  // The refresh resolves interrupted changes and deletions. Interrupted creations stay in the
  // state as pending operations, and `editState` below resolves them.
  await ask(args, workspace);
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
  if (inAws.length > 0) await ask(args, workspace);
}

/** What a killed update has done without recording it in the state. */
interface Killed {
  readonly changed: readonly ChangedLater[];
  /** Objects that the update has created. */
  readonly missing: readonly LiveObject[];
}

/**
 * Records in the state what a killed update has done: the created objects, and the changed objects,
 * which the next update must apply again. The next update deletes the created objects that the
 * program does not declare.
 *
 * @throws UserError if a preview of the program fails.
 */
async function recordKilled(
  stack: string,
  own: OwnNamespace,
  { changed, missing }: Killed,
  cluster: Pick<Cluster, "kubectl">,
  workspace: Workspace,
): Promise<void> {
  // An update in progress looks like a killed update, but holds the lock. An import of the same
  // state fails while another process holds the lock. So this command then waits, and reads
  // everything again.
  await editState(stack, (deployment) => deployment, workspace);
  console.log("  an earlier update was killed and has not recorded what it did");
  const steps = missing.length === 0 ? [] : await plannedSteps(stack, workspace);
  const bindings = await roleBindings(steps, cluster);
  await editState(
    stack,
    (deployment) => {
      const { resources = [] } = deployment;
      const still = missingIn(resources, [...missing, ...bindings], own);
      const { above, begun, left } = matched(still, steps, deployment);
      // Another update may have recorded the changes after this command has read the state.
      const objects = changed.map(({ object }) => object);
      const stillChanged = changedLater({ objects, resources: resources.filter(isObject) });
      const marked = resources.map((one) => {
        const later = stillChanged.find(({ resource }) => resource === one);
        return later === undefined ? one : unsettled(one, later.object);
      });
      return withBegun({ ...deployment, resources: [...marked, ...above, ...left] }, still, begun);
    },
    workspace,
  );
}

/**
 * Returns an entry that makes the next update apply the object again, and wait until the object is
 * ready.
 */
function unsettled(resource: StateResource, object: LiveObject): StateResource {
  const { kind, metadata } = object;
  console.log(`  ${kind} ${metadata.name}: the next update applies the object again`);
  const manager = managerOf(object);
  const outputs = { ...resource.outputs, metadata, ...(manager && { __fieldManager: manager }) };
  return { ...resource, initErrors: [notSettled], outputs };
}

const notSettled =
  "The update that created or changed this object was killed. The object may not be ready.";

/** Returns the Kubernetes objects that a killed update had begun to create. */
const begunObjects = (deployment: Deployment): readonly StateResource[] =>
  begunIn(deployment).filter(isObject);

/**
 * Adds objects to the state: the objects that a killed update had begun to create. The state then
 * looks as if that update had recorded the objects. For each object, the state then contains the
 * field manager of the killed update. With a different field manager, the next update would have
 * conflicts.
 */
export function withBegun(
  deployment: Deployment,
  found: readonly LiveObject[],
  begun = begunObjects(deployment),
): Deployment {
  let resources = deployment.resources ?? [];
  for (const resource of begun) {
    const object = found.find((one) => isSame(one, keyOf(resource)));
    const adopted = object && adoption(resource, object);
    if (adopted === undefined) continue;
    const known = resources.filter(({ urn }) => urn === adopted.urn);
    if (known.some(({ id }) => id === adopted.id)) continue;
    // If the killed update had already deleted the old object, the adopted object replaces the old
    // object. The state then no longer needs the entry of the old object.
    resources = resources.filter((one) => !known.includes(one) || one.pendingReplacement !== true);
    const serves = known.some((one) => one.delete !== true && one.pendingReplacement !== true);
    if (serves && !isAutonamed(adopted)) {
      // The next update would create an object with the same name again. So the adopted object
      // takes the place of the old object, and the next update deletes the old object.
      resources = resources.map((one) => (known.includes(one) ? { ...one, delete: true } : one));
      resources = [...resources, adopted];
      continue;
    }
    // If the old object is still in use, this code marks the adopted object in the state. The next
    // update then deletes the adopted object.
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
  const { name, namespace } = object.metadata;
  const manager = managerOf(object);
  if (manager === undefined) return undefined;
  const { inputs = {} } = resource;
  console.log(`  adopting ${object.kind} ${name}, which the killed update had begun to create`);
  return {
    ...resource,
    id: namespace === undefined ? name : `${namespace}/${name}`,
    initErrors: [notSettled],
    // The outputs have the form in which the Kubernetes provider stores them. The data of an object
    // comes from the inputs and not from the cluster, because a Secret's data must stay encrypted.
    outputs: {
      ...inputs,
      ...resource.outputs,
      metadata: object.metadata,
      __fieldManager: manager,
      __initialApiVersion: object.apiVersion,
      __inputs: inputs,
    },
  };
}
