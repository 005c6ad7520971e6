import type { Manifest, Recorder } from "./mocks";

/**
 * The value of each field of each object. The key consists of the object's kind and name, and the
 * field's path.
 */
export type Leaves = ReadonlyMap<string, string>;

/**
 * Returns the path of a list element. If all elements have different names, the path contains the
 * element's name instead of its index. So a new environment variable does not change the paths of
 * the other variables.
 */
function element(list: readonly Manifest[], index: number): string {
  const names = list.map((each) => each?.name as unknown);
  const told =
    names.every((name) => typeof name === "string") && new Set(names).size === list.length;
  return told ? `[name=${String(names[index])}]` : `[${String(index)}]`;
}

function key(path: string, name: string): string {
  if (!/^\w+$/.test(name)) return `${path}["${name}"]`;
  return path === "" ? name : `${path}.${name}`;
}

function* leaves(value: Manifest, path: string): Generator<readonly [string, string]> {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) {
    yield [path, JSON.stringify(value)];
  } else if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) {
      yield* leaves(each, `${path}${element(value, index)}`);
    }
  } else {
    for (const [name, each] of Object.entries(value)) yield* leaves(each, key(path, name));
  }
}

/** Returns the fields of all recorded objects, and for each object an entry with an empty path. */
export function leavesOf(recorder: Recorder): Leaves {
  const found = new Map<string, string>();
  for (const { inputs, name, type } of recorder.custom()) {
    const object = `${type.split(":").at(-1) ?? ""} ${name}`;
    found.set(`${object} `, "there");
    // The data of a Secret is random in each run.
    const stable = type.endsWith(":Secret") ? { ...inputs, data: {} } : inputs;
    for (const [path, value] of leaves(stable, "")) found.set(`${object} ${path}`, value);
  }
  return found;
}

/**
 * Returns the kind and the path of each difference. If an object is in only one of the two maps,
 * the list contains the object, but not its fields.
 */
export function differences(one: Leaves, two: Leaves): readonly (readonly [string, string])[] {
  const changed = [...new Set([...one.keys(), ...two.keys()])]
    .filter((key) => one.get(key) !== two.get(key))
    .map((key) => /^(\S+) (\S+) (.*)$/.exec(key)?.slice(1) as [string, string, string]);
  const whole = new Set(
    changed.filter(([, , path]) => path === "").map(([kind, name]) => `${kind} ${name}`),
  );
  return changed
    .filter(([kind, name, path]) => path === "" || !whole.has(`${kind} ${name}`))
    .map(([kind, , path]) => [kind, path]);
}
