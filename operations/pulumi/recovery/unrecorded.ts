import { Writable } from "node:stream";
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type Identity, foreignLabel, labels } from "../../../components/conventions/labels";
import { environments } from "../../../environments";
import type { Settings } from "../../../settings";
import { type Cluster, isForbidden } from "../../clients/kubectl";
import { UserError } from "../../../lib/errors";
import { type Step, errorsIn, readEvents } from "../events";
import { drawnManager, forcing } from "../field-managers";
import { type Key, type LiveObject, type Seen, find, isSame, keyOf, listIn } from "../live-objects";
import { runPreview } from "../run-preview";
import { type Workspace, withEnv } from "../run-pulumi";
import { secretSignature, signature, unknownMark } from "../special-values";
import type { Deployment, StateResource } from "../stacks";
import { nameIn } from "../urn";

// Updates of stack `local` and of review stacks write the state only at their end (ADR 0032). If
// someone kills such an update, the state does not contain what the update has done. This file
// finds out from the cluster what the update has done.

type Fields = Readonly<Record<string, unknown>>;

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
 * RoleBindings, because a review job must not list RoleBindings.
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

/** A resource whose object an update has changed after the update that wrote the state. */
export interface ChangedLater {
  readonly object: LiveObject;
  readonly resource: StateResource;
}

/**
 * Returns the resources whose objects an update has changed or replaced after the update that wrote
 * the state. The function recognizes such an object by its UID, or by the time and the result of
 * the last change by the resource's field manager.
 */
export function changedLater({ objects, resources }: Seen): readonly ChangedLater[] {
  return resources.flatMap((resource) => {
    const object = objects.find((one) => isSame(one, keyOf(resource)));
    const recorded = resource.outputs as (LiveObject & Fields) | undefined;
    if (object === undefined || recorded?.metadata === undefined) return [];
    const { uid } = recorded.metadata;
    const isReplaced = uid !== undefined && uid !== object.metadata.uid;
    const timeIn = ({ managedFields = [] }: LiveObject["metadata"]): string =>
      managedFields.find(
        (one) =>
          one.manager === recorded["__fieldManager"] &&
          one.operation === "Apply" &&
          !one.subresource,
      )?.time ?? "";
    const [before, now] = [timeIn(recorded.metadata), timeIn(object.metadata)];
    const isChanged = before !== "" && before < now && !hasContentOf(object, recorded);
    return isReplaced || isChanged ? [{ object, resource }] : [];
  });
}

/**
 * Whether an object in the cluster has the content of the recorded object. If a command has undone
 * a change in the cluster, the content is the same, although the field manager has a newer time.
 */
function hasContentOf(object: LiveObject, recorded: LiveObject & Fields): boolean {
  const contentOf = (one: Fields): Fields => {
    const { annotations = {}, labels = {} } = one["metadata"] as Partial<
      Record<"annotations" | "labels", Fields>
    >;
    const fields = Object.entries(one).filter(
      ([name]) =>
        !name.startsWith("__") && !["apiVersion", "kind", "metadata", "status"].includes(name),
    );
    return { annotations, fields: Object.fromEntries(fields), labels };
  };
  return isDeepStrictEqual(contentOf(object as unknown as Fields), contentOf(recorded));
}

/**
 * Runs a preview, and returns the steps that create or update a resource, or leave it as it is.
 *
 * @throws UserError if the preview fails.
 */
export async function plannedSteps(stack: string, workspace: Workspace): Promise<readonly Step[]> {
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const run = { stack, to: nowhere, workspace: withEnv(workspace, forcing) };
  const { exitCode, log, printed } = await runPreview(run);
  if (exitCode !== 0) {
    throw new UserError(
      "An earlier update was killed. To find out what it has done, this command runs a preview, but the preview failed. Fix the cause and run the command again.\n" +
        errorsIn(printed),
    );
  }
  return readEvents(log).steps.filter(
    ({ new: planned, op }) => planned && !op.startsWith("delete"),
  );
}

/**
 * Reads the RoleBindings that the steps declare. A review job may read a RoleBinding by its name,
 * but must not list RoleBindings.
 */
export async function roleBindings(
  steps: readonly Step[],
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly LiveObject[]> {
  const declared = steps.flatMap(({ new: planned }) =>
    planned?.type.endsWith(":RoleBinding") ? [keyOf(planned)] : [],
  );
  return declared.length === 0 ? [] : find(declared, cluster);
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
  /** Entries of the objects that the program does not declare. The next update deletes them. */
  readonly left: readonly StateResource[];
}

/**
 * Finds the resource of each object among the planned steps. If the provider has generated the
 * object's name, the function recognizes the object by the form of the name.
 */
export function matched(
  objects: readonly LiveObject[],
  steps: readonly Step[],
  { resources = [] }: Deployment,
): Matched {
  const above = new Map<string, StateResource>();
  /** Returns the entry with this URN. If the entry is missing, adds it, and its parents first. */
  const need = (urn: string): StateResource | undefined => {
    const known = resources.find((one) => one.urn === urn) ?? above.get(urn);
    const planned = steps.find((one) => one.urn === urn)?.new;
    if (known !== undefined || !planned) return known;
    if (planned.parent) need(planned.parent);
    const entry = entryOf(planned);
    above.set(urn, entry);
    return entry;
  };
  const providerOf = (reference = ""): Pick<StateResource, "provider"> => {
    const provider = need(reference.replace(/::[^:]*$/, ""));
    return provider?.id === undefined ? {} : { provider: `${provider.urn}::${provider.id}` };
  };
  const begun: StateResource[] = [];
  const left: StateResource[] = [];
  for (const object of [...objects].sort(byAge)) {
    const step = steps.find((one) => creates(one, object));
    if (!step?.new) {
      const sample = steps.find(({ new: planned }) => planned && isObject(planned));
      if (sample && !undeletable.includes(object.kind)) {
        left.push({ ...leftEntry(object, sample.urn), ...providerOf(sample.provider) });
      }
      continue;
    }
    const { inputs: planned = {}, parent, type, urn } = step.new;
    if (parent) need(parent);
    const inputs = inputsOf(planned, object);
    begun.push({
      ...{ custom: true, inputs, outputs: outputsOf(inputs, object), type, urn },
      ...(parent && { parent }),
      ...providerOf(step.provider),
    });
  }
  const place = ({ urn }: StateResource): number => steps.findIndex((one) => one.urn === urn);
  return {
    above: [...above.values()],
    begun: begun.sort((one, other) => place(one) - place(other)),
    left,
  };
}

/**
 * Kinds of objects that a review job must not delete. These objects stay until Kubernetes deletes
 * the namespace.
 */
const undeletable = ["LimitRange", "NetworkPolicy", "ResourceQuota"];

/**
 * Returns an entry for an object that the program does not declare. The update deletes the object
 * at its end, and a preview shows this deletion.
 *
 * @param sample - URN of another resource of the stack
 */
function leftEntry({ apiVersion, kind, metadata }: LiveObject, sample: string): StateResource {
  const { labels, name, namespace = "" } = metadata;
  const inputs = { apiVersion, kind, metadata: { labels, name, namespace } };
  const type = `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
  const urn = [...sample.split("::").slice(0, 2), type, name].join("::");
  console.log(`  ${kind} ${name}: the program does not declare it, so the next update deletes it`);
  const outputs = { ...inputs, __initialApiVersion: apiVersion, __inputs: inputs };
  return { custom: true, id: `${namespace}/${name}`, inputs, outputs, type, urn };
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
  if (!isAutonamed(planned)) return false;
  const { name } = object.metadata;
  const start = `${nameIn(urn)}-`;
  const isGenerated = name.startsWith(start) && /^[0-9a-f]{8}$/.test(name.slice(start.length));
  return isGenerated && isSame({ ...key, metadata: { ...key.metadata, name } }, object);
}

/** Whether the provider has generated the object's name. */
export function isAutonamed({ inputs = {} }: Pick<StateResource, "inputs">): boolean {
  const { annotations } = (inputs["metadata"] ?? {}) as {
    readonly annotations?: Readonly<Record<string, string>>;
  };
  return annotations?.["pulumi.com/autonamed"] === "true";
}

/** Whether the resource's object is in the listed namespace and has one of the {@link kinds}. */
export function isListed(resource: StateResource, { namespace }: Listing): boolean {
  if (!isObject(resource)) return false;
  const key = keyOf(resource);
  const isKind = kinds.some((one) => one.kind === key.kind && one.apiVersion === key.apiVersion);
  return isKind && key.metadata.namespace === namespace;
}

/** Whether a resource is a Kubernetes object. */
export function isObject({ inputs, type }: Pick<StateResource, "inputs" | "type">): boolean {
  return type.startsWith("kubernetes:") && typeof inputs?.["kind"] === "string";
}

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

/**
 * Returns the outputs of an object's resource: the fields of the object in the cluster, because the
 * program may have changed since the update was killed. Empty for an object with secret values,
 * because its values must stay encrypted.
 */
function outputsOf(inputs: Fields, object: LiveObject): Fields {
  return JSON.stringify(inputs).includes(signature) ? {} : (object as unknown as Fields);
}

/**
 * Returns a copy of a value in which secrets and unknown values have the values of the same fields
 * in `live`.
 */
function withSecrets(value: unknown, live: unknown): unknown {
  if (isSecret(value)) return secretOf(live ?? null);
  if (value === unknownMark) return live ?? value;
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
