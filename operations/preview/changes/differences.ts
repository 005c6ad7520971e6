import { secret } from "../../../components/conventions/secrets/masked";
import type { Json } from "../../pulumi/events";
import { secretSignature, signature, unknownMark } from "../../pulumi/special-values";
import { steps } from "./paths";

/**
 * One field that differs. A path names a list element by the element's key, such as
 * `env[name=PORT]`.
 */
export interface Difference {
  /** The value after the change. Undefined if the change removes the field. */
  readonly after?: Json;
  /** The value before the change. Undefined if the field is new. */
  readonly before?: Json;
  readonly path: string;
}

/** Text that the output shows in place of a value that is known only after the update. */
export const unknown = "known after the update";

type Fields = Readonly<Record<string, Json>>;

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

function isObject(value: Json | undefined): value is Fields {
  return typeof value === "object" && value !== null && !isList(value);
}

/**
 * Returns a copy of a value. In the copy, a fixed text replaces each secret and each unknown value.
 * Assets do not change.
 */
export function readable(value: Json): Json {
  if (value === unknownMark) return unknown;
  if (isList(value)) return value.map(readable);
  if (!isObject(value)) return value;
  if (value[signature] === secretSignature) return secret;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, readable(one)]));
}

/**
 * Fields that identify the elements of Kubernetes lists. `keyOf` returns the first of these fields
 * that all elements have, each with a different value.
 */
const identifying = ["name", "mountPath", "host", "path", "containerPort", "port", "key", "type"];

/**
 * Returns the field that identifies the elements of all given lists: every element has the field,
 * and no two elements of one list have the same value. Undefined if there is no such field.
 */
function keyOf(...lists: readonly (readonly Json[])[]): string | undefined {
  return identifying.find((key) =>
    lists.every((list) => {
      const values = list.map((element) => (isObject(element) ? element[key] : undefined));
      const scalar = values.every((one) => typeof one === "string" || typeof one === "number");
      return scalar && new Set(values).size === values.length;
    }),
  );
}

function scalarAt(element: Json, key: string): string {
  const value = isObject(element) ? element[key] : undefined;
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/**
 * Converts a list into an object with keys such as `[name=PORT]`, or `[0]` if `key` is undefined.
 */
function byName(list: readonly Json[], key: string | undefined): Fields {
  return Object.fromEntries(
    list.map((element, place) => [
      key === undefined ? `[${String(place)}]` : `[${key}=${scalarAt(element, key)}]`,
      element,
    ]),
  );
}

/**
 * Returns the new elements. If the change removes exactly one element and adds exactly
 * one, such as an Ingress rule with another host, the function treats the two elements as one
 * element that has changed. In the result, the new element then has the old element's key. The key
 * `name` is an exception: elements with different names are always different elements.
 */
function renamed(old: Fields, now: Fields, key: string | undefined): Fields {
  const [gone, ...moreGone] = Object.keys(old).filter((one) => !Object.hasOwn(now, one));
  const [come, ...moreCome] = Object.keys(now).filter((one) => !Object.hasOwn(old, one));
  const single = moreGone.length + moreCome.length === 0;
  if (key === "name" || !single || gone === undefined || come === undefined) return now;
  return Object.fromEntries(
    Object.entries(now).map(([name, value]) => [name === come ? gone : name, value]),
  );
}

function below(path: string, key: string): string {
  if (key.startsWith("[")) return `${path}${key}`;
  if (!/^[\w-]+$/.test(key)) return `${path}["${key}"]`;
  return path === "" ? key : `${path}.${key}`;
}

function between(before: Json | undefined, after: Json | undefined, path: string): Difference[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => between(before[key], after[key], below(path, key)));
  }
  const elements = isList(before) && isList(after) ? [...before, ...after] : [];
  // This function compares a list of plain values, such as a command, as one value.
  if (isList(before) && isList(after) && elements.some(isObject)) {
    const key = keyOf(before, after);
    const [old, now] = [byName(before, key), byName(after, key)];
    return between(old, renamed(old, now, key), path);
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [
    {
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    },
  ];
}

/**
 * Returns the fields in which two objects differ. The order of list elements with a key does not
 * matter, so an element that is added between other elements is only one difference.
 */
export function differences(before: Fields, after: Fields): readonly Difference[] {
  return between(readable(before), readable(after), "");
}

/**
 * Returns the path and the value of every field of a new object. Each element of a list is a
 * separate field, even in a list of plain values.
 */
export function leaves(value: Json, path = ""): readonly (readonly [string, Json])[] {
  const inside = isList(value) ? byName(value, keyOf(value)) : value;
  if (!isObject(inside)) return [[path, inside]];
  return Object.entries(inside).flatMap(([key, one]) => leaves(one, below(path, key)));
}

/**
 * Returns the value at a path in Pulumi's form: `spec.ports[0].name`, `metadata.labels["a.b/c"]`.
 */
export function valueAt(object: Json | undefined, path: string): Json | undefined {
  let value = object === undefined ? undefined : readable(object);
  for (const step of steps(path)) {
    value = isList(value)
      ? value[Number(step.slice(1, -1))]
      : isObject(value)
        ? value[step]
        : undefined;
  }
  return value;
}
