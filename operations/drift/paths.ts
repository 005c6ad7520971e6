/**
 * One step of a path to a field: the name of a field, or the keys, the value or the index of a
 * list's element.
 */
export interface Segment {
  readonly index?: number;
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly name?: string;
  readonly value?: unknown;
}

/**
 * Fields that may identify the elements of a list. `listKey` returns the first of these fields that
 * all elements of the list have.
 */
const keys = ["name", "containerPort", "port", "mountPath", "ip", "topologyKey", "uid"] as const;

/** The field that identifies the elements of a list. Undefined for a list without such a field. */
export function listKey(items: readonly unknown[]): string | undefined {
  if (items.length === 0) return undefined;
  return keys.find((key) =>
    items.every((item) => typeof item === "object" && item !== null && key in item),
  );
}

/**
 * Whether an element of a list has the keys in `wanted` with the same values. An element without
 * `protocol` matches every protocol, because the API server adds this field to the ports that it
 * stores.
 */
export function matches(item: unknown, wanted: Readonly<Record<string, unknown>>): boolean {
  if (typeof item !== "object" || item === null) return false;
  const fields = item as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(
    ([key, value]) => fields[key] === value || (key === "protocol" && fields[key] === undefined),
  );
}

/**
 * Converts a segment to the name of a field or the index of an element. Undefined if `object` is a
 * list without this element, or a plain value.
 */
export function stepIn(
  object: unknown,
  { index, keys: wanted, name, value }: Segment,
): number | string | undefined {
  if (typeof object !== "object" || object === null) return undefined;
  if (name !== undefined) return name;
  if (!Array.isArray(object)) return undefined;
  if (index !== undefined) return index;
  const place = object.findIndex((item) =>
    wanted === undefined ? item === value : matches(item, wanted),
  );
  return place === -1 ? undefined : place;
}

export function childAt(object: unknown, segment: Segment): unknown {
  const step = stepIn(object, segment);
  if (step === undefined) return undefined;
  return (object as Readonly<Record<number | string, unknown>>)[step];
}

/** The value at a path in an object. Undefined if the object does not have the field. */
export function valueAt(object: unknown, segments: readonly Segment[]): unknown {
  return segments.reduce(childAt, object);
}

/**
 * Returns a path as a text, in the form that the preview uses, such as
 * `spec.containers[name=web].image`.
 */
export function pathText(segments: readonly Segment[]): string {
  return segments
    .map(({ index, keys: element, name, value }) => {
      if (index !== undefined) return `[${String(index)}]`;
      if (name !== undefined) return /[./]/.test(name) ? `["${name}"]` : `.${name}`;
      if (element === undefined) return `[${JSON.stringify(value)}]`;
      const [[key, id] = ["", ""]] = Object.entries(element);
      return `[${key}=${String(id)}]`;
    })
    .join("")
    .replace(/^\./, "");
}
