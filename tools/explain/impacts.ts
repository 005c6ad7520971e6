import type { Change, Operation } from "../../operations/preview/changes/changes";
import { valueAt } from "../../operations/preview/changes/differences";
import { covers } from "../../operations/preview/changes/paths";
import {
  type Impact,
  classifyField,
  classifyObject,
} from "../../operations/preview/impact/classify";
import { consequences } from "../../operations/preview/impact/consequences";
import { worseFirst } from "../../operations/preview/impact/impact";
import type { Field } from "../../operations/preview/provenance/fields";
import { type Manifest, manifestOf } from "../render/manifests";
import type { Stack } from "./stacks";

/**
 * The impact on the running service of a change to one field, or of the creation or deletion of a
 * whole object. For a whole object, the path is empty.
 */
export interface Consequence extends Impact {
  readonly kind: string;
  readonly path: string;
}

/**
 * Whether the provider replaces an object if this field changes. Returns false for fields that the
 * table of consequences already contains, such as a selector. The preview does not need this
 * function, because Pulumi's engine reports which objects it replaces.
 */
function isReplacing(kind: string, path: string): boolean {
  // These fields identify an object. So an object with another value in one of these fields is a
  // different object.
  if (/^(?:apiVersion|kind|metadata\.name|metadata\.namespace)$/.test(path)) return true;
  return (kind === "ConfigMap" || kind === "Secret") && /^(?:binaryD|d|stringD)ata\b/.test(path);
}

/**
 * Returns an object of a kind: from production if production has one, otherwise from another stack.
 */
function sampleOf(kind: string, stacks: readonly Stack[]): Manifest {
  const all = [...stacks]
    .sort((a, b) => Number(b.stack === "prod") - Number(a.stack === "prod"))
    .flatMap(({ objects }) => objects.filter(({ type }) => type.endsWith(`:${kind}`)));
  const [first] = all;
  return first === undefined ? {} : manifestOf(first);
}

function changeOf(kind: string, inputs: Manifest, operation: Operation): Change {
  return {
    createBeforeDelete: false,
    fields: [],
    inputs,
    kind,
    name: "",
    operation,
    owner: { changedArgs: [], name: "", type: "" },
    protect: false,
    urn: "",
  };
}

/**
 * Returns the impact of a change to one field. For a boolean, joins the impacts of a change to true
 * and of a change to false.
 */
function ofField(kind: string, path: string, inputs: Manifest): Impact {
  const replaces = isReplacing(kind, path);
  const change = changeOf(kind, inputs, replaces ? "replace" : "update");
  const isSwitch = typeof valueAt(inputs, path) === "boolean";
  const values = isSwitch ? [{ after: true }, { after: false }] : [{}];
  const impacts = values.map((after) => classifyField(change, { ...after, path, replaces }));
  const [worst] = [...impacts].sort(worseFirst);
  const says = [...new Set(impacts.map((one) => one.says))].join(", or ");
  return { dangerous: false, effect: "unknown", ...worst, says };
}

/** Returns the impact of the creation or the deletion of an object. */
function ofObject(kind: string, inputs: Manifest): Impact {
  const [create, gone] = (["create", "delete"] as const).map((operation) =>
    classifyObject(changeOf(kind, inputs, operation)),
  );
  const says = [...new Set([create?.says ?? "", gone?.says ?? ""])].join(", or ");
  return { dangerous: false, effect: "unknown", ...gone, says };
}

/** Returns the subfields of a path that have a separate entry in the table of consequences. */
function patternsBelow(kind: string, path: string): readonly string[] {
  return Object.keys(consequences[kind]?.fields ?? {}).filter(
    (pattern) => pattern !== path && pattern !== "" && covers(path, pattern),
  );
}

/**
 * Returns the fields of a kind whose changes may have different impacts. The first element, with an
 * empty path, is the object itself.
 *
 * @param names names of all fields of the kind
 */
export function fieldsOfKind(kind: string, names: readonly string[]): readonly Field[] {
  const patterns = patternsBelow(kind, "");
  const isEvery = Object.hasOwn(consequences[kind]?.fields ?? { "": true }, "");
  const others = names
    .filter((name) => isEvery && !/^(?:apiVersion|kind|status)$/.test(name))
    .filter((name) => !patterns.some((pattern) => covers(name, pattern)));
  return ["", ...patterns, ...others].map((path) => ({ kind, path }));
}

/**
 * Returns the impacts that changes to fields have on the running service, in the words of the
 * preview. The worst impact is first. If subfields of a field have a separate entry in the table of
 * consequences, the result also contains these subfields.
 */
export function consequencesOf(
  fields: readonly Field[],
  stacks: readonly Stack[],
): readonly Consequence[] {
  const samples = new Map<string, Manifest>();
  const sample = (kind: string): Manifest => {
    const known = samples.get(kind) ?? sampleOf(kind, stacks);
    samples.set(kind, known);
    return known;
  };
  const all = fields.flatMap(({ kind, path }): readonly Consequence[] => {
    if (path === "") return [{ ...ofObject(kind, sample(kind)), kind, path }];
    return [path, ...patternsBelow(kind, path)].map((one) => ({
      ...ofField(kind, one, sample(kind)),
      kind,
      path: one,
    }));
  });
  const once = new Map(all.map((one) => [`${one.kind} ${one.path}`, one]));
  return [...once.values()].sort(worseFirst);
}
