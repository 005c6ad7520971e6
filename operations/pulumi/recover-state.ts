import { ownerLabels } from "../../components/conventions/labels";
import { type Workspace, ask } from "./run-pulumi";
import { drawnManager } from "./field-managers";
import { removeDeadLocks } from "./locks";
import { untilUnlocked } from "./lock-wait";
import { begunInAws } from "./pending-aws";
import type { Cluster } from "../clients/kubectl";
import { type Deployment, type StateResource, begunIn, editState, stateOf } from "./stacks";

/** An object as the cluster has it. */
export interface LiveObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly {
      readonly manager: string;
      readonly operation: string;
      readonly time?: string;
    }[];
    readonly name: string;
    readonly namespace?: string;
  };
}

type Key = Pick<LiveObject, "apiVersion" | "kind" | "metadata">;

/**
 * Brings a stack's state to what is there, if its last update was killed or someone has deleted
 * objects. The next update continues from there.
 *
 * After a kill it removes that update's lock, asks the cluster about everything in the state, and
 * adopts the objects that the update had begun to create. Without a refresh, Pulumi would say that
 * nothing changes although objects are gone, because it compares with its state only.
 */
export async function recoverState(
  stack: string,
  cluster: Pick<Cluster, "kubectl">,
  workspace: Workspace,
): Promise<void> {
  await removeDeadLocks(stack, workspace);
  // Another update that is in progress also has pending operations, and may have finished them by
  // the next try.
  await untilUnlocked(async () => {
    const { begun, pending, resources } = await stateOf(stack, workspace);
    if (!pending && !(await isAnyGone(resources, cluster))) return;
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
  }, workspace.lockWait);
}

/** Types that every role that deploys may read. */
const watched = new RegExp(
  `^kubernetes:(?:${[
    "apps/v1:(?:Deployment|StatefulSet)",
    "autoscaling/v2:HorizontalPodAutoscaler",
    "batch/v1:CronJob",
    "core/v1:(?:ConfigMap|Namespace|Service|ServiceAccount)",
    "networking.k8s.io/v1:Ingress",
    "policy/v1:PodDisruptionBudget",
  ].join("|")})$`,
);

/**
 * Only asked about the cluster that the stack's outputs name: in another one everything is missing,
 * and a refresh would empty the state.
 */
async function isAnyGone(
  resources: readonly StateResource[],
  cluster: Pick<Cluster, "kubectl">,
): Promise<boolean> {
  const { clusterUid } =
    resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
  const wanted = resources.filter(
    (one) => one.id !== undefined && one.delete !== true && watched.test(one.type),
  );
  if (clusterUid === undefined || wanted.length === 0) return false;
  const found = await live(wanted, resources, cluster);
  const gone = wanted.map(keyOf).filter((key) => !found.some((one) => isSame(one, key)));
  if (gone.length === 0) return false;
  const uid = ["get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}"];
  if ((await cluster.kubectl(uid, 30_000)).trim() !== clusterUid) return false;
  for (const { kind, metadata } of gone) console.log(`  ${kind} ${metadata.name} was deleted`);
  console.log("  asking the cluster what is left");
  return true;
}

/** Objects of a cluster that an update had begun to create. */
function begunObjects(deployment: Deployment): readonly StateResource[] {
  return begunIn(deployment).filter(
    ({ inputs, type }) => type.startsWith("kubernetes:") && typeof inputs?.["kind"] === "string",
  );
}

/** Where the object is: the provider has completed its inputs, with the generated name. */
function keyOf({ inputs }: StateResource): Key {
  const { apiVersion, kind, metadata } = inputs as unknown as Key;
  const { labels = {}, name, namespace } = metadata;
  return { apiVersion, kind, metadata: { labels, name, ...(namespace && { namespace }) } };
}

/**
 * Asks each cluster for all of them together; missing ones are not in the answer.
 *
 * @param all - resources of the state, with the providers
 */
async function live(
  wanted: readonly StateResource[],
  all: readonly StateResource[],
  { kubectl }: Pick<Cluster, "kubectl">,
): Promise<readonly LiveObject[]> {
  const objects: LiveObject[] = [];
  for (const [context, keys] of byContext(wanted, all)) {
    const how = ["--ignore-not-found", "--show-managed-fields", "--output", "json"];
    const where = context === undefined ? [] : [`--context=${context}`];
    const list = JSON.stringify({ apiVersion: "v1", items: keys, kind: "List" });
    const answer = await kubectl(["get", "--filename", "-", ...how, ...where], 30_000, list);
    if (answer.trim() === "") continue;
    const found = JSON.parse(answer) as LiveObject | { readonly items: readonly LiveObject[] };
    objects.push(...("items" in found ? found.items : [found]));
  }
  return objects;
}

/** By the kubeconfig's context that their provider uses; the platform has one for each cluster. */
function byContext(
  wanted: readonly StateResource[],
  all: readonly StateResource[],
): ReadonlyMap<string | undefined, readonly Key[]> {
  const keys = new Map<string | undefined, Key[]>();
  for (const resource of wanted) {
    const provider = all.find(({ urn }) => resource.provider?.startsWith(`${urn}::`) === true);
    const context = provider?.inputs?.["context"] as string | undefined;
    keys.set(context, [...(keys.get(context) ?? []), keyOf(resource)]);
  }
  return keys;
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

const isSame = (one: Key, other: Key): boolean =>
  one.apiVersion === other.apiVersion &&
  one.kind === other.kind &&
  one.metadata.name === other.metadata.name &&
  one.metadata.namespace === other.metadata.namespace;

/**
 * Undefined for an object that this update has not made, and for one that another owner has made
 * and will keep.
 */
function adoption(resource: StateResource, object: LiveObject): StateResource | undefined {
  if (resource.retainOnDelete === true) return undefined;
  const { labels: wanted = {} } = keyOf(resource).metadata;
  const { labels = {}, managedFields = [], name, namespace } = object.metadata;
  const isOurs = ownerLabels.every((label) => label in labels && labels[label] === wanted[label]);
  if (!isOurs) return undefined;
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
