import { reviewAccess } from "../../components/conventions/ci-roles";
import type { FieldSet, LiveObject, ManagedFields } from "../pulumi/live-objects";
import { drawnManager } from "../pulumi/field-managers";
import { childAt, listKey, matches, pathText, type Segment, valueAt } from "./paths";

/** A field of an object that someone has changed in the cluster. */
export interface Difference {
  /** Name of the field manager that changed the field. Undefined if the field is gone. */
  readonly by: string | undefined;
  /** The value that the last update wrote. Undefined if the update did not write the field. */
  readonly declared: unknown;
  /** The value in the cluster. Undefined if the field is gone. */
  readonly live: unknown;
  readonly path: string;
  readonly segments: readonly Segment[];
  /** Time of the field manager's last change to the object. Undefined if the field is gone. */
  readonly time: string | undefined;
}

/** The result of the comparison of one object. */
interface Compared {
  readonly differences: readonly Difference[];
  /**
   * Fields that the last update wrote and that a controller has set since then, such as the
   * replicas that an autoscaler sets. These values are not differences.
   */
  readonly kept: readonly (readonly Segment[])[];
}

/** The input of a comparison of one object. */
export interface Comparison {
  /**
   * The object as the last update wrote it: the inputs that Pulumi's state has for the resource.
   */
  readonly declared: Readonly<Record<string, unknown>>;
  readonly isController: (manager: string) => boolean;
  readonly live: LiveObject;
  /** Field manager of the stack's updates. */
  readonly manager: string;
}

/**
 * Annotations that our commands or kubectl write when a person runs a command. The comparison
 * ignores these annotations.
 */
const ofOperations = [
  ...Object.values(reviewAccess.annotations),
  "kubectl.kubernetes.io/last-applied-configuration",
  // `kubectl rollout restart` sets this annotation. The command replaces the pods, and changes no
  // other field.
  "kubectl.kubernetes.io/restartedAt",
];

/**
 * Finds the fields of an object that someone has changed since the last update. A field that the
 * update wrote counts as changed if the stack's field manager no longer owns the field, and if the
 * field's value is now different. A field that another tool has added also counts as changed.
 * Ignores changes by controllers.
 */
export function differencesOf({ declared, isController, live, manager }: Comparison): Compared {
  const all = live.metadata.managedFields ?? [];
  const ours = union(all.filter((one) => one.manager === manager));
  // Field managers of other stacks do not count as tools. For example, the platform's stack adds
  // fields to a namespace.
  const isTool = ({ manager: name, subresource }: ManagedFields): boolean =>
    !drawnManager.test(name) && subresource !== "status" && !isController(name);
  const others = all.filter((one) => one.manager !== manager && isTool(one));
  const found: Difference[] = [];
  const kept: (readonly Segment[])[] = [];
  const add = (segments: readonly Segment[], who: ManagedFields | undefined): void => {
    // The API server treats a list without keys as one field. The difference shows only the part of
    // the list that changed.
    const shown = [...segments, ...narrowed(valueAt(declared, segments), valueAt(live, segments))];
    found.push({
      by:
        who && (who.subresource === undefined ? who.manager : `${who.manager} ${who.subresource}`),
      declared: valueAt(declared, shown),
      live: valueAt(live, shown),
      path: pathText(shown),
      segments,
      time: who?.time,
    });
  };
  for (const segments of lost(declared, live, ours)) {
    const setters = all.filter((one) => one.manager !== manager && has(one.fieldsV1, segments));
    const tool = setters.find((one) => !isController(one.manager));
    if (tool === undefined && setters.length > 0) kept.push(segments);
    else add(segments, tool);
  }
  const known = new Set(found.map(({ path }) => path));
  for (const other of others) {
    for (const segments of added(other.fieldsV1 ?? {}, ours)) {
      const isDeclared = valueAt(declared, segments) !== undefined;
      const path = pathText(segments);
      const isOperation = ofOperations.some((name) => path.endsWith(`["${name}"]`));
      if (isDeclared || isOperation || known.has(path)) continue;
      // The field no longer exists, because someone has removed it again.
      if (valueAt(live, segments) === undefined) continue;
      known.add(path);
      add(segments, other);
    }
  }
  return { differences: found, kept };
}

/** Returns the path to the only part in which two values differ. Empty if several parts differ. */
function narrowed(declared: unknown, live: unknown): readonly Segment[] {
  if (typeof declared !== "object" || declared === null) return [];
  const isList = Array.isArray(declared) && Array.isArray(live);
  if (isList && declared.length !== live.length) return [];
  const [step, ...more] = Object.entries(declared)
    .map(
      ([key, value]) =>
        [isList ? { index: Number(key) } : { name: key }, value as unknown] as const,
    )
    .filter(([segment, value]) => !isEqual(value, childAt(live, segment)));
  if (step === undefined || more.length > 0) return [];
  const [segment, value] = step;
  return [segment, ...narrowed(value, childAt(live, segment))];
}

/**
 * Whether an input in the state has no value. The object in the cluster does not have a field for
 * an input without a value.
 */
const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/**
 * Yields the path of each declared field that has a different value in the cluster, and that the
 * stack's field set (`ours`) does not contain.
 */
function* lost(
  declared: unknown,
  live: unknown,
  ours: FieldSet | undefined,
  at: readonly Segment[] = [],
): Generator<readonly Segment[]> {
  if (isAbsent(declared)) return;
  // If the field set has no entries below this field, the stack's field manager owns the whole
  // field.
  if (ours !== undefined && at.length > 0 && isLeaf(ours)) return;
  const children = childrenOf(declared);
  if (children === undefined) {
    if (ours === undefined && !isEqual(declared, live)) yield at;
    return;
  }
  // If a whole field is gone, the function yields one path, and not one path for each subfield.
  if (live === undefined && ours === undefined && at.length > 1 && children.length > 0) {
    yield at;
    return;
  }
  for (const [segment, value] of children) {
    // `apiVersion` and `kind` cannot change. Controllers set `status`, and the program does not
    // declare `status`.
    if (at.length === 0 && ["apiVersion", "kind", "status"].includes(segment.name ?? "")) continue;
    yield* lost(value, childAt(live, segment), ours && inSet(ours, segment, value), [
      ...at,
      segment,
    ]);
  }
}

/**
 * Yields the path of each field that another tool's field set contains and the stack's field set
 * does not contain. An element of a list counts as one field.
 */
function* added(
  theirs: FieldSet,
  ours: FieldSet | undefined,
  at: readonly Segment[] = [],
): Generator<readonly Segment[]> {
  for (const [key, fields] of Object.entries(theirs)) {
    if (key === ".") continue;
    const segment = segmentOf(key);
    if (segment === undefined) continue;
    const own = ours?.[key];
    const next = [...at, segment];
    const isWhole = isLeaf(fields) || "." in fields;
    if (own === undefined && isWhole) yield next;
    else if (!isLeaf(fields)) yield* added(fields, own, next);
  }
}

const isLeaf = (set: FieldSet): boolean => Object.keys(set).every((key) => key === ".");

function segmentOf(key: string): Segment | undefined {
  const text = key.slice(2);
  if (key.startsWith("f:")) return { name: text };
  if (key.startsWith("k:")) return { keys: JSON.parse(text) as Record<string, unknown> };
  if (key.startsWith("v:")) return { value: JSON.parse(text) as unknown };
  return undefined;
}

/**
 * Returns the fields of an object, or the elements of a list whose elements have a key. Undefined
 * for any other value.
 */
function childrenOf(value: unknown): readonly (readonly [Segment, unknown])[] | undefined {
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    const key = listKey(items);
    if (key === undefined) return undefined;
    return items.map((item) => {
      const one = item as Readonly<Record<string, unknown>>;
      return [{ keys: { [key]: one[key] } }, item] as const;
    });
  }
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value)
    .filter(([name]) => !name.startsWith("__"))
    .map(([name, one]) => [{ name }, one] as const);
}

/**
 * Returns the part of a field set that belongs to a field or to an element of a list. For an
 * element, `value` is the element, or an object with only the element's keys. The function compares
 * the keys of `value` with the keys in the field set.
 */
function inSet(set: FieldSet, segment: Segment, value: unknown): FieldSet | undefined {
  if (segment.name !== undefined) return set[`f:${segment.name}`];
  for (const [key, fields] of Object.entries(set)) {
    const keys = key.startsWith("k:") ? segmentOf(key)?.keys : undefined;
    if (keys !== undefined && matches(value, keys)) return fields;
  }
  return undefined;
}

function has(set: FieldSet | undefined, segments: readonly Segment[]): boolean {
  let at = set;
  for (const segment of segments) {
    if (at === undefined) return false;
    const next: FieldSet | undefined = inSet(at, segment, segment.keys);
    // The field set has no entries below the field or below one of its parents, so the field
    // manager owns the field.
    if (next !== undefined && isLeaf(next)) return true;
    at = next;
  }
  return at !== undefined;
}

/**
 * Whether a value in the cluster equals the declared value. The API server may write the same
 * number or quantity in a different form.
 */
function isEqual(declared: unknown, live: unknown): boolean {
  if (isAbsent(declared)) return true;
  if (Array.isArray(declared)) {
    const items = declared as readonly unknown[];
    const found = live as readonly unknown[];
    return (
      Array.isArray(live) &&
      found.length === items.length &&
      items.every((item, n) => isEqual(item, found[n]))
    );
  }
  if (typeof declared === "object") {
    const fields = Object.entries(declared as object);
    // A declared empty object equals a missing object.
    if (fields.length === 0) return true;
    return fields.every(([name, value]) => isEqual(value, childAt(live, { name })));
  }
  const [one, other] = [JSON.stringify(declared), JSON.stringify(live ?? null)].map((text) =>
    text.replace(/^"|"$/g, ""),
  );
  return one === other || amount(one) === amount(other);
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  G: 1e9,
  Gi: 2 ** 30,
  Ki: 2 ** 10,
  M: 1e6,
  Mi: 2 ** 20,
  k: 1e3,
  m: 1e-3,
};

/**
 * Converts a Kubernetes quantity to a number: `1500m` and `1.5` are equal. For any other text, the
 * result is NaN, which is not equal to any number.
 */
function amount(value = ""): number {
  const [, digits, unit = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(value) ?? [];
  const factor = units[unit];
  return digits === undefined || factor === undefined ? Number.NaN : Number(digits) * factor;
}

function union(entries: readonly ManagedFields[]): FieldSet {
  const merge = (one: FieldSet, other: FieldSet): FieldSet =>
    Object.entries(other).reduce<FieldSet>(
      (all, [key, fields]) => ({ ...all, [key]: merge(all[key] ?? {}, fields) }),
      one,
    );
  return entries.map(({ fieldsV1 = {} }) => fieldsV1).reduce(merge, {});
}
