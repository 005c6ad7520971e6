/** One step into an object: a field, or the element of a list: by keys, by value, or by place. */
export interface Segment {
  readonly index?: number;
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly name?: string;
  readonly value?: unknown;
}

/** The first of these that all elements have identifies an element. */
const keys = ["name", "containerPort", "port", "mountPath", "ip", "topologyKey", "uid"] as const;

/** The field that identifies the elements of a list. Undefined for a list without such a field. */
export function listKey(items: readonly unknown[]): string | undefined {
  if (items.length === 0) return undefined;
  return keys.find((key) =>
    items.every((item) => typeof item === "object" && item !== null && key in item),
  );
}

/** A path such as `spec.containers[name=web].image`, as the preview writes it. */
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
