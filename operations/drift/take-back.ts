import type { Kubectl } from "../clients/kubectl";
import { keyOf } from "../pulumi/live-objects";
import type { ChangedObject, Drift } from "./drift";
import { signature } from "../pulumi/special-values";
import type { Difference } from "./differences";
import { childAt, type Segment, stepIn, valueAt } from "./paths";

/**
 * Sets the changed fields back to the values of the stack's last update, with the stack's field
 * manager. Removes the fields that someone has added. Does not change an object with values that
 * are encrypted in the state. The state stays correct, because it already contains the values of
 * the last update.
 */
export async function takeBack(
  { changed }: Pick<Drift, "changed">,
  { kubectl }: { readonly kubectl: Kubectl },
): Promise<void> {
  for (const one of changed) {
    const { kind, metadata } = keyOf(one.resource);
    if (JSON.stringify(one.resource.inputs).includes(signature)) {
      console.log(
        `  ${kind} ${metadata.name}: has encrypted values, so this command does not change it`,
      );
      continue;
    }
    console.log(`  ${kind} ${metadata.name}: undoing the changes in the cluster`);
    const removals = removalsOf(one);
    if (removals.length > 0) {
      const patch = ["--type=json", "--patch", JSON.stringify(removals)];
      const which = { ...keyOf(one.resource), apiVersion: one.live.apiVersion };
      await kubectl(["patch", ...patch, "--filename", "-"], undefined, JSON.stringify(which));
    }
    if (!one.differences.some(({ declared }) => declared !== undefined)) continue;
    const manager = `--field-manager=${String(one.resource.outputs?.["__fieldManager"])}`;
    const how = ["--server-side", "--force-conflicts", manager, "--filename", "-"];
    await kubectl(["apply", ...how], undefined, JSON.stringify(wantedFrom(one)));
  }
}

/**
 * Returns the object as the last update wrote it, except that a field that a controller has set
 * keeps its current value.
 */
function wantedFrom({ kept, live, resource: { inputs } }: ChangedObject): unknown {
  return kept.reduce<unknown>(
    (object, segments) => replaced(object, segments, valueAt(live, segments)),
    inputs,
  );
}

/** Returns a copy of an object in which one field has a different value. */
function replaced(object: unknown, [first, ...rest]: readonly Segment[], value: unknown): unknown {
  if (first === undefined) return value;
  if (Array.isArray(object)) {
    return object.map((item: unknown) =>
      item === valueAt(object, [first]) ? replaced(item, rest, value) : item,
    );
  }
  const { name = "" } = first;
  return { ...(object as object), [name]: replaced(valueAt(object, [first]), rest, value) };
}

/**
 * An operation of a JSON Patch. A `test` makes the patch fail if the value at the path has changed
 * since this command read it, for example because an element of a list now has another index.
 */
interface Operation {
  readonly op: "remove" | "test";
  readonly path: string;
  readonly value?: unknown;
}

/**
 * Returns the operations that remove the added fields. The operations remove later elements of a
 * list first, so that the indexes of the earlier elements do not change.
 */
function removalsOf({ differences, live }: ChangedObject): readonly Operation[] {
  return differences
    .filter(({ declared }) => declared === undefined)
    .map((one) => ({ at: pointerOf(live, one.segments), one }))
    .filter((found): found is { at: readonly (number | string)[]; one: Difference } => {
      return found.at !== undefined;
    })
    .sort((one, other) => compare(other.at, one.at))
    .flatMap(({ at, one }): Operation[] => {
      const path = at
        .map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`)
        .join("");
      return [
        { op: "test", path, value: one.live },
        { op: "remove", path },
      ];
    });
}

/** The path to a field as names and indexes. Undefined if the object does not have the field. */
function pointerOf(
  object: unknown,
  segments: readonly Segment[],
): readonly (number | string)[] | undefined {
  const pointer: (number | string)[] = [];
  let at = object;
  for (const segment of segments) {
    const step = stepIn(at, segment);
    if (step === undefined) return undefined;
    pointer.push(step);
    at = childAt(at, segment);
  }
  return at === undefined ? undefined : pointer;
}

function compare(one: readonly (number | string)[], other: readonly (number | string)[]): number {
  for (const [n, step] of one.entries()) {
    const against = other[n];
    if (step === against) continue;
    if (typeof step === "number" && typeof against === "number") return step - against;
    return String(step).localeCompare(String(against));
  }
  return one.length - other.length;
}
