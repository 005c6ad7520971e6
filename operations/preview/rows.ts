import { type ComponentType, argsFor, fields } from "../../components/conventions/fields";
import type { Change, Field, Owner } from "./changes";
import { secret, valueAt } from "./differences";
import { byWeight, type Effect, heavier } from "./effects";
import { judgeField, judgeObject, type Judgement } from "./judge";
import { short } from "./paths";
import { isRelease } from "./release";
import { isSensitive, show } from "./values";

/** What one change does, and where it comes from. */
export interface Row extends Judgement {
  readonly after?: string;
  /** Arg of our code that sets it; undefined where none does. */
  readonly arg?: string;
  readonly before?: string;
  /** Fields that the row stands for, by kind and path; only the kind for a whole object. */
  readonly fields: readonly string[];
  /** The field in short, or the object. */
  readonly what: string;
}

/** Components of one type to which the same happens. */
export interface Group {
  /** Names in the program; empty for the stack itself. */
  readonly names: readonly string[];
  readonly rows: readonly Row[];
  /** As `WebService`, or `Stack`. */
  readonly type: string;
}

function argOf(owner: Owner, kind: string, path: string): string | undefined {
  if (!Object.hasOwn(fields, owner.type)) return undefined;
  return argsFor(owner.type as ComponentType, kind, path)[0];
}

function fieldRow(change: Change, field: Field, judged: Judgement): Row {
  const arg = argOf(change.owner, change.kind, field.path);
  const sensitive = isSensitive(change.kind, field.path);
  const told = (value: Field["after"]) =>
    value === undefined ? {} : { value: sensitive ? secret : show(value) };
  const [before, after] = [told(field.before).value, told(field.after).value];
  return {
    ...judged,
    ...(after === undefined ? {} : { after }),
    ...(arg === undefined ? {} : { arg }),
    ...(before === undefined ? {} : { before }),
    fields: [`${change.kind} ${field.path}`],
    what: short(field.path),
  };
}

function objectRow(change: Change, judged: Judgement = judgeObject(change)): Row {
  const arg = argOf(change.owner, change.kind, "");
  const schedule = valueAt(change.inputs, "spec.schedule");
  const when = schedule === undefined ? "" : `, schedule ${show(schedule)}`;
  return {
    ...judged,
    ...(arg === undefined ? {} : { arg }),
    fields: [change.kind],
    what: `${change.kind} ${change.name}${change.operation === "create" ? when : ""}`,
  };
}

/** Objects that get another name with other content: what names them changes for no other reason. */
function renewed(changes: readonly Change[]): ReadonlyMap<string, Change> {
  return new Map(
    changes
      .filter((change) => change.operation === "replace" && change.createBeforeDelete)
      .map((change) => [change.nameBefore ?? "", change]),
  );
}

/** Whether the field names an object that gets another name. */
function isNamed({ before }: Field, again: ReadonlyMap<string, Change>): boolean {
  return typeof before === "string" && again.has(before);
}

/** What the pods do that name an object which is made again. */
function throughPods(change: Change, changes: readonly Change[]): Judgement | undefined {
  return changes
    .flatMap((one) =>
      one.fields
        .filter(({ before }) => before !== undefined && before === change.nameBefore)
        .map((field) => judgeField(one, field)),
    )
    .sort((a, b) => heavier(a.effect, b.effect))[0];
}

function rowsOf(change: Change, changes: readonly Change[]): readonly Row[] {
  if (change.operation === "create" || change.operation === "delete") return [objectRow(change)];
  const replaced = change.operation === "replace";
  if (replaced && change.createBeforeDelete) {
    const judged = throughPods(change, changes) ?? judgeObject(change);
    const own = change.fields.filter(({ path }) => path !== "metadata.name");
    return own.map((field) => fieldRow(change, field, judged));
  }
  const again = renewed(changes);
  const rows = change.fields
    .filter((field) => !isRelease(field) && !isNamed(field, again))
    .filter((field) => !replaced || field.replaces)
    .map((field) => fieldRow(change, field, judgeField(change, field)));
  return replaced && rows.length === 0 ? [objectRow(change)] : rows;
}

/** Fields to which the same happens for the same reason, as one row. */
function folded(rows: readonly Row[]): readonly Row[] {
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    const { after, arg, before, effect, says } = row;
    // The same variable of two containers is one; two variables that become "1" are two.
    const last = row.what.split(".").at(-1);
    const key = JSON.stringify([after, arg, before, effect, last, says]);
    const same = byKey.get(key);
    byKey.set(key, same ? { ...same, fields: [...same.fields, ...row.fields] } : row);
  }
  return [...byKey.values()].sort((a, b) => heavier(a.effect, b.effect));
}

/** All objects of a component that comes or goes, as one row with the weight of the heaviest. */
function whole(owned: readonly Change[]): Row | undefined {
  const rows = owned.map((change) => objectRow(change));
  const [heaviest] = [...rows].sort(
    (a, b) => Number(b.dangerous) - Number(a.dangerous) || heavier(a.effect, b.effect),
  );
  if (heaviest === undefined) return undefined;
  // The component's name is said already.
  if (owned.length === 1) return { ...heaviest, what: heaviest.what.replace(/^(\w+) [^,]*/, "$1") };
  const kinds = owned.map(({ kind }) => kind).join(", ");
  const says = owned[0]?.operation === "create" ? "new" : heaviest.says;
  const effect: Effect = owned[0]?.operation === "create" ? "created" : heaviest.effect;
  return {
    dangerous: heaviest.dangerous,
    effect,
    fields: rows.flatMap((row) => row.fields),
    says,
    what: kinds,
  };
}

const typeName = (type: string): string => type.split(":").at(-1) ?? type;

/** The changes by component, the heaviest first; components to which the same happens are one group. */
export function groupsOf(changes: readonly Change[]): readonly Group[] {
  const byOwner = new Map<string, Change[]>();
  for (const change of changes) {
    const key = `${change.owner.type} ${change.owner.name}`;
    byOwner.set(key, [...(byOwner.get(key) ?? []), change]);
  }
  const same = new Map<string, Group>();
  for (const owned of byOwner.values()) {
    const owner = owned[0]?.owner;
    if (owner === undefined) continue;
    const comesOrGoes = owner.operation === "create" || owner.operation === "delete";
    const one = comesOrGoes ? whole(owned) : undefined;
    const rows = one ? [one] : folded(owned.flatMap((change) => rowsOf(change, changes)));
    if (rows.length === 0) continue;
    const key = JSON.stringify([owner.type, rows]);
    const names = [...(same.get(key)?.names ?? []), ...(owner.name === "" ? [] : [owner.name])];
    same.set(key, { names, rows, type: typeName(owner.type) });
  }
  const weight = ({ rows }: Group) => Math.max(...rows.map((row) => byWeight.indexOf(row.effect)));
  return [...same.values()].sort((a, b) => weight(b) - weight(a));
}
