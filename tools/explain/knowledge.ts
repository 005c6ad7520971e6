import ts from "typescript";
import { consequences } from "../../operations/preview/impact/consequences";
import { type FieldsOfArgs, fields } from "../../operations/preview/provenance/fields";
import { table } from "../../settings/table";
import { type Component, componentsIn } from "./components";
import { KubernetesDocs } from "./kubernetes-docs";
import { type Place, type Source, fileOf, nodesIn, placeOf, readSource } from "./source";
import type { Stack } from "./stacks";
import { Uses } from "./uses";

/** Everything that the command needs to answer a question. */
export interface Knowledge {
  readonly components: readonly Component[];
  readonly docs: KubernetesDocs;
  /** For each kind of object, the lines that create an object of this kind. */
  readonly created: ReadonlyMap<string, readonly Place[]>;
  readonly source: Source;
  readonly stacks: readonly Stack[];
  readonly uses: Uses;
}

/**
 * Returns the lines that create objects, for each kind. Each of these lines contains the name of a
 * class, such as `k8s.apps.v1.Deployment`.
 */
function createdIn({ files }: Source): ReadonlyMap<string, readonly Place[]> {
  const found = new Map<string, readonly Place[]>();
  const rooms = files.filter((file) => /^(?:components|platform)\//.test(fileOf(file)));
  for (const node of rooms.flatMap(nodesIn).filter(ts.isPropertyAccessExpression)) {
    const [, kind] = /^k8s\.\w+\.v\w+\.([A-Z]\w+)$/.exec(node.getText()) ?? [];
    if (kind === undefined) continue;
    found.set(kind, [...(found.get(kind) ?? []), placeOf(node)]);
  }
  return found;
}

/**
 * Reads the project's source code, and the documentation of the objects of Kubernetes.
 *
 * @param stacks what the program declares in each stack, from `readStacks`
 */
export function readKnowledge(stacks: readonly Stack[]): Knowledge {
  const source = readSource();
  return {
    components: componentsIn(source),
    created: createdIn(source),
    docs: new KubernetesDocs(),
    source,
    stacks,
    uses: new Uses(source),
  };
}

/** Returns the fields of each arg of a component. Empty for a component of the platform project. */
export function fieldsOf({ type }: Pick<Component, "type">): FieldsOfArgs {
  const all: Readonly<Record<string, FieldsOfArgs>> = fields;
  return all[type] ?? {};
}

/** Kinds of objects about which the command can answer a question. */
export function kindsOf({ created, docs }: Knowledge): readonly string[] {
  const all = new Set([...created.keys(), ...Object.keys(consequences)]);
  return [...all].filter((kind) => docs.typeOf(kind) !== undefined).sort();
}

/** Keys of all settings. */
export const settingKeys: readonly string[] = Object.keys(table);
