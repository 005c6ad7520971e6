import { Writable } from "node:stream";
import { randomUUID } from "node:crypto";
import { type Identity, foreignLabel, labels } from "../../../components/conventions/labels";
import { environments } from "../../../environments";
import type { Settings } from "../../../settings";
import { type Cluster, isForbidden } from "../../clients/kubectl";
import { type Step, readEvents } from "../events";
import { drawnManager } from "../field-managers";
import { type Key, type LiveObject, type Seen, find, isSame, keyOf, listIn } from "../live-objects";
import { runPreview } from "../run-preview";
import type { Workspace } from "../run-pulumi";
import { secretSignature, signature } from "../special-values";
import type { Deployment, StateResource } from "../stacks";
import { nameIn } from "../urn";

// Updates of stack `local` and of review stacks write the state only at their end (ADR 0032). If
// someone kills such an update, the state does not contain what the update has done. This file
// finds out from the cluster what the update has done.

/** The namespace that belongs to one stack alone, and the identity of the stack's objects. */
export interface OwnNamespace {
  readonly identity: Identity;
  readonly namespace: string;
}

/** Returns the stack's own namespace. Undefined if the namespace existed before the stack. */
export function ownNamespace({
  environment,
  identity,
  namespace,
}: Pick<Settings, "environment" | "identity" | "namespace">): OwnNamespace | undefined {
  return environments[environment].data === "own" ? { identity, namespace } : undefined;
}

/**
 * Kinds of objects that the program creates in the stack's own namespace. The list does not contain
 * RoleBindings, because a review job must not read RoleBindings. If an update creates a RoleBinding
 * again, nothing changes.
 */
export const kinds: readonly Pick<Key, "apiVersion" | "kind">[] = [
  ...["Deployment", "StatefulSet"].map((kind) => ({ apiVersion: "apps/v1", kind })),
  { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" },
  ...["CronJob", "Job"].map((kind) => ({ apiVersion: "batch/v1", kind })),
  ...["Ingress", "NetworkPolicy"].map((kind) => ({ apiVersion: "networking.k8s.io/v1", kind })),
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
  ...[
    ...["ConfigMap", "LimitRange", "PodTemplate", "ResourceQuota"],
    ...["Secret", "Service", "ServiceAccount"],
  ].map((kind) => ({ apiVersion: "v1", kind })),
];

/**
 * Reads the namespace and the objects of the {@link kinds} in the namespace. Undefined if the role
 * may not list these objects: such a role cannot have created the objects either.
 */
export async function objectsIn(
  { namespace }: OwnNamespace,
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly LiveObject[] | undefined> {
  const own = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  try {
    const [found, objects] = await Promise.all([
      find([own], cluster),
      listIn(namespace, kinds, cluster),
    ]);
    return [...found, ...objects];
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/**
 * Returns the objects that an update of the stack has created and that the state does not contain.
 */
export function missingIn(
  resources: readonly StateResource[],
  objects: readonly LiveObject[],
  { identity }: OwnNamespace,
): readonly LiveObject[] {
  const wanted = labels(identity, "namespace");
  const known = resources.filter(isObject).map(keyOf);
  return objects.filter(
    (object) =>
      managerOf(object) !== undefined &&
      foreignLabel(object.metadata.labels ?? {}, wanted) === undefined &&
      !known.some((key) => isSame(key, object)),
  );
}

/** Returns the field manager of the Pulumi update that applied the object last. */
export function managerOf({ metadata: { managedFields = [] } }: LiveObject): string | undefined {
  return managedFields
    .filter((one) => one.operation === "Apply" && drawnManager.test(one.manager))
    .sort((one, other) => (one.time ?? "").localeCompare(other.time ?? ""))
    .at(-1)?.manager;
}

/**
 * Returns the resources whose objects an update has changed after the update that wrote the state.
 * The function recognizes such an object by the time at which the resource's field manager has
 * changed the object.
 */
export function changedLater({ objects, resources }: Seen): readonly StateResource[] {
  return resources.filter((resource) => {
    const manager = resource.outputs?.["__fieldManager"];
    const recorded = (resource.outputs as Partial<LiveObject> | undefined)?.metadata;
    const object = objects.find((one) => isSame(one, keyOf(resource)));
    const timeIn = (metadata: LiveObject["metadata"] | undefined): string | undefined =>
      metadata?.managedFields?.find(
        (one) => one.manager === manager && one.operation === "Apply" && !one.subresource,
      )?.time;
    const [before, now] = [timeIn(recorded), timeIn(object?.metadata)];
    return before !== undefined && now !== undefined && before < now;
  });
}

/**
 * Runs a preview, and returns what the program would create. Undefined if the preview fails: the
 * command will then show the preview's errors itself.
 */
export async function plannedCreations(
  stack: string,
  workspace: Workspace,
): Promise<readonly Step[] | undefined> {
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const { exitCode, log } = await runPreview({ stack, to: nowhere, workspace });
  if (exitCode !== 0) return undefined;
  return readEvents(log).steps.filter(({ op }) => op === "create" || op === "create-replacement");
}

/** The result of {@link matched}. */
export interface Matched {
  /** Entries that the state needs before the others: components and the provider. */
  readonly above: readonly StateResource[];
  /**
   * Entries of the objects, in the order of the program. A killed update would have recorded such
   * an entry before it created the object.
   */
  readonly begun: readonly StateResource[];
  /** Objects that the program does not create. */
  readonly left: readonly LiveObject[];
}

/**
 * Finds the resource of each object among the planned creations. If the provider has generated the
 * object's name, the function recognizes the object by the form of the name.
 */
export function matched(
  objects: readonly LiveObject[],
  creations: readonly Step[],
  { resources = [] }: Deployment,
): Matched {
  const above = new Map<string, StateResource>();
  /** Returns the entry with this URN. If the entry is missing, adds it, and its parents first. */
  const need = (urn: string): StateResource | undefined => {
    const known = resources.find((one) => one.urn === urn) ?? above.get(urn);
    const planned = creations.find((one) => one.urn === urn)?.new;
    if (known !== undefined || !planned) return known;
    if (planned.parent) need(planned.parent);
    const entry = entryOf(planned);
    above.set(urn, entry);
    return entry;
  };
  const begun: StateResource[] = [];
  const left: LiveObject[] = [];
  for (const object of [...objects].sort(byAge)) {
    const step = creations.find((one) => creates(one, object));
    if (!step?.new) {
      left.push(object);
      continue;
    }
    const { inputs = {}, parent, type, urn } = step.new;
    if (parent) need(parent);
    const provider = need((step.provider ?? "").replace(/::[^:]*$/, ""));
    begun.push({
      ...{ custom: true, inputs: inputsOf(inputs, object), type, urn },
      ...(parent && { parent }),
      ...(provider?.id && { provider: `${provider.urn}::${provider.id}` }),
    });
  }
  const place = ({ urn }: StateResource): number => creations.findIndex((one) => one.urn === urn);
  return { above: [...above.values()], begun: begun.sort((a, b) => place(a) - place(b)), left };
}

/**
 * Compares the ages of two objects. If two killed updates have created two objects with generated
 * names for one resource, the database or the pods use the older object.
 */
function byAge(one: LiveObject, other: LiveObject): number {
  const [a = "", b = ""] = [one, other].map(({ metadata }) => metadata.creationTimestamp);
  return a.localeCompare(b);
}

/** Returns the entry of a component or a provider. */
function entryOf({ inputs = {}, parent, type, urn }: NonNullable<Step["new"]>): StateResource {
  const entry = { inputs: withoutSecrets(inputs), type, urn, ...(parent && { parent }) };
  return type.startsWith("pulumi:providers:")
    ? // The killed update did not record the provider's id. Any id is right, because the next update
      // finds the provider by its URN.
      { ...entry, custom: true, id: randomUUID(), outputs: entry.inputs }
    : { ...entry, custom: false };
}

/** Whether this step creates this object. */
function creates({ new: planned, urn }: Step, object: LiveObject): boolean {
  if (!planned || !isObject(planned)) return false;
  const key = keyOf(planned);
  if (isSame(key, object)) return true;
  const { metadata } = planned.inputs as unknown as {
    readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  };
  if (metadata.annotations?.["pulumi.com/autonamed"] !== "true") return false;
  const { name } = object.metadata;
  const start = `${nameIn(urn)}-`;
  const isGenerated = name.startsWith(start) && /^[0-9a-f]{8}$/.test(name.slice(start.length));
  return isGenerated && isSame({ ...key, metadata: { ...key.metadata, name } }, object);
}

/** Whether a resource is a Kubernetes object. */
export function isObject({ inputs, type }: Pick<StateResource, "inputs" | "type">): boolean {
  return type.startsWith("kubernetes:") && typeof inputs?.["kind"] === "string";
}

type Fields = Readonly<Record<string, unknown>>;

const isSecret = (value: unknown): boolean =>
  (value as Fields | null | undefined)?.[signature] === secretSignature;

/**
 * Returns the inputs of an object's resource: the planned inputs, with the name and the secret
 * values of the object. The preview does not contain secret values, and a new password would not
 * be the password of the existing database.
 */
function inputsOf(planned: Fields, object: LiveObject): Fields {
  const metadata = { ...(planned["metadata"] as Fields), name: object.metadata.name };
  return { ...(withSecrets(planned, object) as Fields), metadata };
}

/** Returns a copy of a value in which secrets have the values of the same fields in `live`. */
function withSecrets(value: unknown, live: unknown): unknown {
  if (isSecret(value)) return secretOf(live ?? null);
  if (typeof value !== "object" || value === null) return value;
  const inIt = (key: number | string): unknown => (live as Fields | null | undefined)?.[key];
  return Array.isArray(value)
    ? value.map((item: unknown, n) => withSecrets(item, inIt(n)))
    : Object.fromEntries(
        Object.entries(value).map(([key, one]) => [key, withSecrets(one, inIt(key))]),
      );
}

/** Returns a secret in the form that `pulumi stack import` encrypts. */
const secretOf = (value: unknown): Fields => ({
  [signature]: secretSignature,
  plaintext: JSON.stringify(value),
});

/** Returns the inputs whose values the preview shows. */
const withoutSecrets = (inputs: Fields): Fields =>
  Object.fromEntries(
    Object.entries(inputs).filter(([, value]) => !JSON.stringify(value).includes(signature)),
  );
