import { randomUUID } from "node:crypto";
import type { Step } from "../events";
import { type LiveObject, isSame, keyOf, typeOf } from "../live-objects";
import { secretSignature, signature, unknownMark } from "../special-values";
import type { Deployment, StateResource } from "../stacks";
import { nameIn } from "../urn";
import { isDeletable, isObject } from "./unrecorded";

type Fields = Readonly<Record<string, unknown>>;

/** The result of {@link matched}. */
export interface Matched {
  /** Entries that the state needs before the others: components and the provider. */
  readonly above: readonly StateResource[];
  /**
   * Entries of the objects, in the order of the program. An update that writes the state at each
   * step records such an entry before it creates the object.
   */
  readonly begun: readonly StateResource[];
  /**
   * Entries of the objects that the program does not declare. The next update deletes these
   * objects.
   */
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
  /**
   * Returns the entry with this URN. If the entry is missing, first adds the entry's parents, and
   * then the entry.
   */
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
      if (sample && isDeletable(object)) {
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
 * Returns an entry for an object that the program does not declare. The next update deletes the
 * object, and a preview shows this deletion.
 *
 * @param sample - URN of another resource of the stack
 */
function leftEntry({ apiVersion, kind, metadata }: LiveObject, sample: string): StateResource {
  const { labels, name, namespace = "" } = metadata;
  const inputs = { apiVersion, kind, metadata: { labels, name, namespace } };
  const type = typeOf({ apiVersion, kind });
  const urn = [...sample.split("::").slice(0, 2), type, name].join("::");
  console.log(`  ${kind} ${name}: the program does not declare it, so the next update deletes it`);
  const outputs = { ...inputs, __initialApiVersion: apiVersion, __inputs: inputs };
  return { custom: true, id: `${namespace}/${name}`, inputs, outputs, type, urn };
}

/**
 * Compares the ages of two objects. Two killed updates may have created two objects with generated
 * names for one resource. In this case, the database or the pods use the older object.
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
 * Returns a copy of a value. In the copy, values from the same fields in `live` replace secrets and
 * unknown values.
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
