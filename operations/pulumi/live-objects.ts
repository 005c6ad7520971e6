import type { Cluster } from "../clients/kubectl";
import { type StateResource, outputsIn } from "./stacks";

/**
 * Fields in the form of `managedFields` in Kubernetes. A key that begins with `f:` contains the
 * name of a field. A key that begins with `k:` or `v:` stands for an element of a list.
 */
export interface FieldSet {
  readonly [field: string]: FieldSet;
}

/** The fields that one field manager has set. */
export interface ManagedFields {
  readonly fieldsV1?: FieldSet;
  readonly manager: string;
  readonly operation: string;
  /**
   * Subresource that the field manager used, such as `scale` or `status`. Undefined if the field
   * manager changed the object itself.
   */
  readonly subresource?: string;
  readonly time?: string;
}

/** An object in the cluster. */
export interface LiveObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly ManagedFields[];
    readonly name: string;
    readonly namespace?: string;
    readonly ownerReferences?: readonly object[];
    readonly uid?: string;
  };
}

/** Fields that identify an object in the cluster. */
export type Key = Pick<LiveObject, "apiVersion" | "kind" | "metadata">;

/**
 * Returns the key of a resource's object, from the resource's inputs in the state. If Pulumi
 * generated the object's name, these inputs contain the generated name.
 */
export function keyOf({ inputs }: Pick<StateResource, "inputs">): Key {
  const { apiVersion, kind, metadata } = inputs as unknown as Key;
  const { labels = {}, name, namespace } = metadata;
  return { apiVersion, kind, metadata: { labels, name, ...(namespace && { namespace }) } };
}

export const isSame = (one: Key, other: Key): boolean =>
  one.apiVersion === other.apiVersion &&
  one.kind === other.kind &&
  one.metadata.name === other.metadata.name &&
  one.metadata.namespace === other.metadata.namespace;

/** A kind of objects. */
export type Kind = Pick<LiveObject, "apiVersion" | "kind">;

const kindsIn = (apiVersion: string, ...kinds: readonly string[]): readonly Kind[] =>
  kinds.map((kind) => ({ apiVersion, kind }));

/**
 * Kinds of namespaced objects that every role with access to a stack may read. The list does not
 * contain Secrets.
 */
export const readableKinds: readonly Kind[] = [
  ...kindsIn("apps/v1", "Deployment", "StatefulSet"),
  ...kindsIn("autoscaling/v2", "HorizontalPodAutoscaler"),
  ...kindsIn("batch/v1", "CronJob"),
  ...kindsIn("networking.k8s.io/v1", "Ingress", "NetworkPolicy"),
  ...kindsIn("policy/v1", "PodDisruptionBudget"),
  ...kindsIn("v1", "ConfigMap", "LimitRange", "PodTemplate", "ResourceQuota"),
  ...kindsIn("v1", "Service", "ServiceAccount"),
];

/** Returns the type of a kind's resources in Pulumi, such as `kubernetes:core/v1:Service`. */
export const typeOf = ({ apiVersion, kind }: Kind): string =>
  `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;

const readableTypes = [...kindsIn("v1", "Namespace"), ...readableKinds].map(typeOf);

export const isReadable = (type: string): boolean => readableTypes.includes(type);

/**
 * The objects of a stack that every role with access to the stack may read: as objects in the
 * cluster, and as resources in the state.
 */
export interface Seen {
  readonly objects: readonly LiveObject[];
  readonly resources: readonly StateResource[];
}

export const nothingSeen: Seen = { objects: [], resources: [] };

/** The objects of a namespace, and the Namespace object itself. */
export interface Listing {
  readonly namespace: string;
  readonly objects: readonly LiveObject[];
}

/**
 * Reads the stack's objects from the cluster. Empty if the stack is in a cluster other than the
 * given cluster. Without this rule, all objects of such a stack would look deleted.
 *
 * @param listing - the objects of a namespace, if the caller has already read them
 */
export async function seenIn(
  all: readonly StateResource[],
  cluster: Pick<Cluster, "kubectl">,
  listing?: Listing,
): Promise<Seen> {
  const { clusterUid } = outputsIn(all);
  const resources = all.filter(
    (one) => one.id !== undefined && one.delete !== true && isReadable(one.type),
  );
  if (clusterUid === undefined || resources.length === 0) return nothingSeen;
  const isListed = resources.map(keyOf).every(({ metadata }) => {
    const { name, namespace = name } = metadata;
    return namespace === listing?.namespace;
  });
  const objects = isListed && listing ? listing.objects : await listed(resources, all, cluster);
  const seen = { objects, resources };
  // The cluster's UID needs one more request, so this code reads the UID only if objects are
  // missing.
  if (goneFrom(seen).length === 0) return seen;
  return (await isClusterOf(all, cluster)) ? seen : nothingSeen;
}

/**
 * Whether the stack with these resources is in the given cluster. True if the state does not
 * contain the UID of a cluster.
 */
export async function isClusterOf(
  all: readonly StateResource[],
  { kubectl }: Pick<Cluster, "kubectl">,
): Promise<boolean> {
  const { clusterUid } = outputsIn(all);
  if (clusterUid === undefined) return true;
  const uid = ["get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}"];
  return (await kubectl(uid, 30_000)).trim() === clusterUid;
}

/** Returns the objects that are in the state but not in the cluster. */
export const goneFrom = ({ objects, resources }: Seen): readonly Key[] =>
  resources.map(keyOf).filter((key) => !objects.some((one) => isSame(one, key)));

/**
 * Reads the objects of the `wanted` resources. The result does not contain objects that do not
 * exist. The function lists all objects of the resources' kinds in each namespace, because a
 * request for each object would take too long in a stack with hundreds of objects.
 *
 * @param all - all resources of the state, including the providers
 */
async function listed(
  wanted: readonly StateResource[],
  all: readonly StateResource[],
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly LiveObject[]> {
  const reads = [...byContext(wanted, all)].flatMap(([context, keys]) => {
    const namespaces = new Set(keys.map(({ metadata }) => metadata.namespace));
    return [...namespaces].map(async (namespace) => {
      const inIt = keys.filter(({ metadata }) => metadata.namespace === namespace);
      return namespace === undefined
        ? find(inIt, cluster, context)
        : listIn(namespace, inIt, cluster, context);
    });
  });
  const objects = (await Promise.all(reads)).flat();
  const keys = wanted.map(keyOf);
  return objects.filter((object) => keys.some((key) => isSame(object, key)));
}

/** Lists the objects in a namespace that have the kind of one of the keys. */
export async function listIn(
  namespace: string,
  keys: readonly Kind[],
  { kubectl }: Pick<Cluster, "kubectl">,
  context?: string,
): Promise<readonly LiveObject[]> {
  const kinds = [...new Set(keys.map(kindOf))].join(",");
  const how = ["--namespace", namespace, "--show-managed-fields", "--output", "json"];
  const where = context === undefined ? [] : [`--context=${context}`];
  const answer = await kubectl(["get", kinds, ...how, ...where], 60_000);
  return (JSON.parse(answer) as { readonly items: readonly LiveObject[] }).items;
}

/** Returns the name of a kind for `kubectl get`, such as `CronJob.v1.batch` or `Service`. */
function kindOf({ apiVersion, kind }: Kind): string {
  const [group = "", version] = apiVersion.split("/");
  return version === undefined ? kind : `${kind}.${version}.${group}`;
}

/**
 * Reads the objects of the `wanted` resources, with one request for each cluster. The result does
 * not contain objects that do not exist.
 *
 * @param all - all resources of the state, including the providers
 */
export async function live(
  wanted: readonly StateResource[],
  all: readonly StateResource[],
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly LiveObject[]> {
  const objects: LiveObject[] = [];
  for (const [context, keys] of byContext(wanted, all)) {
    objects.push(...(await find(keys, cluster, context)));
  }
  return objects;
}

/** Reads objects with one request. The result does not contain objects that do not exist. */
export async function find(
  keys: readonly Key[],
  { kubectl }: Pick<Cluster, "kubectl">,
  context?: string,
): Promise<readonly LiveObject[]> {
  const how = ["--ignore-not-found", "--show-managed-fields", "--output", "json"];
  const where = context === undefined ? [] : [`--context=${context}`];
  const list = JSON.stringify({ apiVersion: "v1", items: keys, kind: "List" });
  const answer = await kubectl(["get", "--filename", "-", ...how, ...where], 30_000, list);
  if (answer.trim() === "") return [];
  const found = JSON.parse(answer) as LiveObject | { readonly items: readonly LiveObject[] };
  return "items" in found ? found.items : [found];
}

/**
 * Groups resources by the kubeconfig context of their provider. The platform project has a provider
 * for each cluster.
 */
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
