import { type ComponentType, argsFor, fields, knownArgs } from "../provenance/fields";
import type { Change, Field, Owner } from "../changes/changes";
import { secret } from "../../../components/conventions/secrets/masked";
import { valueAt } from "../changes/differences";
import { bySeverity, moreSevere, worseFirst } from "./impact";
import type { Json } from "../../pulumi/events";
import { classifyField, classifyObject, type Impact } from "./classify";
import { short } from "../changes/paths";
import { isRelease } from "./release";
import { isSensitive, show } from "../changes/values";

/** One row of the summary: what changes, the impact, and the arg that causes the change. */
export interface Row extends Impact {
  readonly after?: string;
  /** Arg of the component that sets the field. Undefined if no arg is known. */
  readonly arg?: string;
  readonly before?: string;
  /**
   * Kind and path of each field in this row. If the row is about whole objects, the list contains
   * only the kinds of the objects.
   */
  readonly fields: readonly string[];
  /**
   * Short name of the field, or kind and name of the object, or the kinds of all objects of a
   * component.
   */
  readonly what: string;
}

/** Components of one type that have the same changes. */
export interface Group {
  /** Pulumi names of the components. Empty for the stack itself. */
  readonly names: readonly string[];
  readonly rows: readonly Row[];
  /** Last part of the type token, such as `WebService` or `Stack`. */
  readonly type: string;
}

/**
 * Returns the arg that most likely set a field. The function chooses the first arg in this order:
 *
 * - a changed arg that sets the field according to the map `fields`
 * - a changed arg that the map does not contain, if this arg has the name of the field, or if the
 *   map contains all other changed args
 * - an arg that sets the field according to the map, and that has the name of the field
 * - the most specific arg that sets the field according to the map
 */
function argOf({ changedArgs, type }: Owner, kind: string, path: string): string | undefined {
  if (!Object.hasOwn(fields, type)) return undefined;
  const args = argsFor(type as ComponentType, kind, path);
  const known = knownArgs(type as ComponentType);
  const unknown = changedArgs.filter((arg) => !known.has(arg));
  return (
    args.find((arg) => changedArgs.includes(arg.split(".")[0] ?? "")) ??
    unknown.find((arg) => path.endsWith(`.${arg}`)) ??
    (unknown.length === 1 ? unknown[0] : undefined) ??
    args.find((arg) => path.endsWith(`.${arg}`)) ??
    args[0]
  );
}

function fieldRow(change: Change, field: Field, impact: Impact): Row {
  const arg = argOf(change.owner, change.kind, field.path);
  const sensitive = isSensitive(change.kind, field.path);
  const shown = (value: Field["after"]) =>
    value === undefined ? undefined : sensitive ? secret : show(value);
  const [before, after] = [shown(field.before), shown(field.after)];
  return {
    ...impact,
    ...(after === undefined ? {} : { after }),
    ...(arg === undefined ? {} : { arg }),
    ...(before === undefined ? {} : { before }),
    fields: [`${change.kind} ${field.path}`],
    what: short(field.path),
  };
}

/**
 * Words at the start of an object's row. If the text of the impact already contains the operation,
 * the row does not have these words.
 */
const marks = { create: "new ", delete: "deleted ", replace: "replaced ", update: "" } as const;

/**
 * Returns the row of an object that is created, deleted or replaced. If `named` is true, the row
 * contains the object's name.
 */
function objectRow(change: Change, named = true): Row {
  const { inputs, kind, name, operation, owner } = change;
  const impact = classifyObject(change);
  const arg = argOf(owner, kind, "");
  const mark = /^(?:new|deleted|recreated|REPLACED)/.test(impact.says) ? "" : marks[operation];
  const schedule = operation === "create" ? valueAt(inputs, "spec.schedule") : undefined;
  const when = schedule === undefined ? "" : `, schedule ${show(schedule)}`;
  return {
    ...impact,
    ...(arg === undefined ? {} : { arg }),
    fields: [kind],
    what: `${mark}${kind}${named ? ` ${name}` : ""}${when}`,
  };
}

/**
 * Returns the replacements in which Pulumi creates the new object before it deletes the old object.
 * An example is a ConfigMap, because a ConfigMap's name changes with its content. Each key of the
 * map is an object's old name.
 */
function renewed(changes: readonly Change[]): ReadonlyMap<string, Change> {
  return new Map(
    changes
      .filter((change) => change.operation === "replace" && change.createBeforeDelete)
      .map((change) => [change.nameBefore ?? "", change]),
  );
}

/** Whether the old value of a field is the old name of an object in `again`. */
function isNamed({ before }: Field, again: ReadonlyMap<string, Change>): boolean {
  return typeof before === "string" && again.has(before);
}

/**
 * Returns the most severe impact on the objects that referred to a replaced object by its old name.
 * Undefined if no object referred to the replaced object.
 */
function throughPods(change: Change, changes: readonly Change[]): Impact | undefined {
  return changes
    .flatMap((one) =>
      one.fields
        .filter(({ before }) => before !== undefined && before === change.nameBefore)
        .map((field) => classifyField(one, field)),
    )
    .sort((a, b) => moreSevere(a.effect, b.effect))[0];
}

function rowsOf(change: Change, changes: readonly Change[]): readonly Row[] {
  if (change.operation === "create" || change.operation === "delete") return [objectRow(change)];
  const replaced = change.operation === "replace";
  if (replaced && change.createBeforeDelete) {
    const impact = throughPods(change, changes) ?? classifyObject(change);
    const own = change.fields.filter(({ path }) => path !== "metadata.name");
    return own.map((field) => fieldRow(change, field, impact));
  }
  const again = renewed(changes);
  const rows = change.fields
    .filter((field) => !isRelease(field) && !isNamed(field, again))
    .filter((field) => !replaced || field.replaces)
    .map((field) => fieldRow(change, field, classifyField(change, field)));
  return replaced && rows.length === 0 ? [objectRow(change)] : rows;
}

/**
 * Joins rows into one row if the rows have the same values, arg, impact and last part of the path.
 */
function folded(rows: readonly Row[]): readonly Row[] {
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    const { after, arg, before, effect, says } = row;
    // If two containers have the same change to a variable, the changes share one row. If two
    // different variables get the value "1", each variable has its own row.
    const last = row.what.split(".").at(-1);
    const key = JSON.stringify([after, arg, before, effect, last, says]);
    const same = byKey.get(key);
    byKey.set(key, same ? { ...same, fields: [...same.fields, ...row.fields] } : row);
  }
  return [...byKey.values()].sort((a, b) => moreSevere(a.effect, b.effect));
}

/** Returns the hosts of all Ingresses in these changes. */
function hostsOf(owned: readonly Change[]): readonly string[] {
  const rules = owned
    .filter(({ kind }) => kind === "Ingress")
    .map(({ inputs }) => valueAt(inputs, "spec.rules"));
  return rules.flatMap((list) =>
    Array.isArray(list) ? list.map((rule: Json) => JSON.stringify(valueAt(rule, "host"))) : [],
  );
}

/**
 * Returns the impact of the deletion of a component if a new component replaces the deleted
 * component. If the new component has all hosts of the deleted component, the deletion removes only
 * the old name. Empty if the new component does not have all these hosts.
 */
function replacement(owned: readonly Change[], successor: readonly Change[]): Partial<Impact> {
  const hosts = hostsOf(successor);
  const name = successor[0]?.owner.name ?? "";
  if (!hostsOf(owned).every((host) => hosts.includes(host))) return {};
  return owned.some(({ kind }) => kind === "Service")
    ? { says: `recreated as ${name}, then deleted: the Service's old name stops resolving` }
    : { says: `recreated as ${name}, then deleted` };
}

/**
 * Joins all objects of a created or deleted component into one row. The row of a deleted component
 * has the worst impact of the component's objects.
 */
function whole(
  owned: readonly Change[],
  successor: readonly Change[] | undefined,
): Row | undefined {
  // The title of the group already contains the component's name.
  const rows = owned.map((change) => objectRow(change, false));
  const [worst] = [...rows].sort(worseFirst);
  if (worst === undefined) return undefined;
  const instead = successor === undefined ? {} : replacement(owned, successor);
  if (owned.length === 1) return { ...worst, ...instead };
  const kinds = new Map<string, number>();
  for (const { kind } of owned) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const created = owned[0]?.operation === "create";
  return {
    dangerous: worst.dangerous,
    effect: created ? "created" : worst.effect,
    fields: rows.flatMap((row) => row.fields),
    says: created ? "new" : worst.says,
    what: [...kinds].map(([kind, n]) => (n === 1 ? kind : `${String(n)} ${kind}`)).join(", "),
    ...instead,
  };
}

/**
 * Returns the new component that replaces a deleted component of the same type. The update must
 * create exactly one component of this type and delete exactly one, otherwise the result is
 * undefined.
 */
export function replacementOf(gone: Owner, owners: readonly Owner[]): Owner | undefined {
  const same = owners.filter(({ type }) => type === gone.type);
  const come = same.filter(({ operation }) => operation === "create");
  const go = same.filter(({ operation }) => operation === "delete");
  return gone.operation === "delete" && come.length === 1 && go.length === 1 ? come[0] : undefined;
}

const typeName = (type: string): string => type.split(":").at(-1) ?? type;

/**
 * Groups changes by component. The group with the most severe effect comes first. Components with
 * the same changes are one group.
 */
export function groupsOf(changes: readonly Change[]): readonly Group[] {
  const byOwner = new Map<string, Change[]>();
  for (const change of changes) {
    const key = `${change.owner.type} ${change.owner.name}`;
    byOwner.set(key, [...(byOwner.get(key) ?? []), change]);
  }
  const owners = [...byOwner.values()].flatMap(([first]) => (first ? [first.owner] : []));
  const same = new Map<string, Group>();
  for (const owned of byOwner.values()) {
    const owner = owned[0]?.owner;
    if (owner === undefined) continue;
    const comesOrGoes = owner.operation === "create" || owner.operation === "delete";
    const successor = replacementOf(owner, owners);
    const its = successor && byOwner.get(`${successor.type} ${successor.name}`);
    const one = comesOrGoes ? whole(owned, its) : undefined;
    const rows = one ? [one] : folded(owned.flatMap((change) => rowsOf(change, changes)));
    if (rows.length === 0) continue;
    // The key does not contain `fields`, because the paths in `fields` can contain the component's
    // own name, such as the name of a container.
    const key = JSON.stringify([owner.type, rows.map((row) => ({ ...row, fields: [] }))]);
    const names = [...(same.get(key)?.names ?? []), ...(owner.name === "" ? [] : [owner.name])];
    same.set(key, { names: names.sort(), rows, type: typeName(owner.type) });
  }
  const severity = ({ rows }: Group) =>
    Math.max(...rows.map((row) => bySeverity.indexOf(row.effect)));
  return [...same.values()].sort((a, b) => severity(b) - severity(a));
}
