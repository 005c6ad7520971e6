import { type Difference, differences, readable, valueAt } from "./differences";
import { covers } from "./paths";
import { secret } from "../../../components/conventions/secrets/masked";
import type { Events, Json, State, Step } from "../../pulumi/events";
import { nameIn, typeIn } from "../../pulumi/urn";

/** What Pulumi does with one resource. */
export type Operation = "create" | "delete" | "replace" | "update";

/**
 * The component of this project that contains a resource. If no component contains the resource,
 * the owner is the stack.
 */
export interface Owner {
  /**
   * Changed args of the component. Args that are functions are not in this list, because functions
   * cannot be compared.
   */
  readonly changedArgs: readonly string[];
  readonly name: string;
  /** What Pulumi does with the component itself. Undefined if the component does not change. */
  readonly operation?: Operation;
  /**
   * Type token, such as `services:k8s:WebService`. If the owner is the stack, the type token is
   * `pulumi:pulumi:Stack`.
   */
  readonly type: string;
}

export interface Field extends Difference {
  /** Whether Pulumi replaces the resource because this field changes. */
  readonly replaces: boolean;
}

/** One resource that changes. */
export interface Change {
  /** For a replacement: whether Pulumi creates the new resource before it deletes the old one. */
  readonly createBeforeDelete: boolean;
  readonly fields: readonly Field[];
  /**
   * Inputs after the change. For a deletion, the inputs before the deletion. Secrets are masked.
   */
  readonly inputs: Readonly<Record<string, Json>>;
  /**
   * The last part of the resource's type, such as `Deployment`. For a Pulumi provider, the kind is
   * `Provider`.
   */
  readonly kind: string;
  /**
   * Name of the object in the cluster. If the resource is not a Kubernetes object, this is the
   * resource's name in Pulumi.
   */
  readonly name: string;
  /** Name of the object in the cluster before the change. A replacement can change the name. */
  readonly nameBefore?: string;
  readonly operation: Operation;
  readonly owner: Owner;
  /** Whether the resource has the option `protect`. Pulumi then refuses to delete the resource. */
  readonly protect: boolean;
  readonly urn: string;
}

const providerKind = "Provider";

/**
 * Whether the change is about a Pulumi provider, and changes no object in the cluster. The
 * replacement of a provider is not internal, because Pulumi then recreates all objects of that
 * provider.
 */
export function isInternal({ kind, operation }: Change): boolean {
  return kind === providerKind && operation !== "replace";
}

const operations: Readonly<Record<string, Operation>> = {
  create: "create",
  "create-replacement": "replace",
  delete: "delete",
  "delete-replaced": "replace",
  import: "create",
  "import-replacement": "replace",
  replace: "replace",
  update: "update",
};

const stateIn = (step: Step | undefined): State | undefined => step?.new ?? step?.old ?? undefined;

function changedArgs({ new: after, old: before }: Step): readonly string[] {
  const all = differences(before?.inputs ?? {}, after?.inputs ?? {});
  return [...new Set(all.map(({ path }) => path.split(/[.[]/)[0] ?? ""))];
}

function ownerOf(state: State, all: ReadonlyMap<string, Step>): Owner {
  // This function takes types and names from URNs, because a preview that ended early does not
  // report every component.
  let urn: string | undefined = state.parent;
  while (urn !== undefined && urn !== "") {
    const type = typeIn(urn);
    const step = all.get(urn);
    if (type.startsWith("services:")) {
      const operation = operations[step?.op ?? ""];
      return {
        changedArgs: step === undefined ? [] : changedArgs(step),
        name: nameIn(urn),
        type,
        ...(operation === undefined ? {} : { operation }),
      };
    }
    urn = stateIn(step)?.parent;
  }
  return { changedArgs: [], name: "", type: "pulumi:pulumi:Stack" };
}

/**
 * Whether Pulumi replaces the resource because of this field, a parent of this field or a subfield
 * of this field.
 */
function isReplacing(path: string, steps: readonly Step[]): boolean {
  const detailed = steps.flatMap((step) =>
    Object.entries(step.detailedDiff ?? {})
      .filter(([, { diffKind }]) => diffKind.endsWith("-replace"))
      .map(([key]) => key),
  );
  // A step without a detailed diff has only `keys`, the names of the fields that cause the
  // replacement. A key may be a field with subfields, such as `spec`.
  const keys = detailed.length > 0 ? detailed : steps.flatMap((step) => step.keys ?? []);
  // Pulumi's paths contain the index of a list element, and this module's paths contain the name of
  // the element. So the comparison ignores the index and the name.
  const unnumbered = (one: string): string => one.replace(/\[[^\]"]*\]/g, "[*]");
  const plainPath = unnumbered(path);
  return keys.map(unnumbered).some((key) => covers(key, plainPath) || covers(plainPath, key));
}

/**
 * Returns differences that Pulumi reports and that the readable inputs do not show. These
 * differences are changed secrets. If the readable inputs show no difference, the function also
 * returns the fields that someone changed in the cluster.
 */
function unseen(found: readonly Difference[], steps: readonly Step[], old: State): Difference[] {
  const paths = new Set(steps.flatMap((step) => Object.keys(step.detailedDiff ?? {})));
  return [...paths].flatMap((path) => {
    const value = valueAt(old.inputs, path);
    if (value !== secret && found.length > 0) return [];
    const after = value === secret ? { after: secret } : {};
    return [{ path, ...(value === undefined ? {} : { before: value }), ...after }];
  });
}

function fieldsOf(steps: readonly Step[], before?: State, after?: State): readonly Field[] {
  if (before === undefined || after === undefined) return [];
  const found = differences(before.inputs ?? {}, after.inputs ?? {});
  return [...found, ...unseen(found, steps, before)].map((one) => ({
    ...one,
    replaces: isReplacing(one.path, steps),
  }));
}

/**
 * Returns the resource's `metadata.name`. Undefined for a resource that is not a Kubernetes object.
 */
function clusterName(state: State | undefined): string | undefined {
  const name = valueAt(state?.inputs, "metadata.name");
  return typeof name === "string" ? name : undefined;
}

function changeOf(steps: readonly Step[], all: ReadonlyMap<string, Step>): Change | undefined {
  const ops = steps.map(({ op }) => op);
  const operation = ops.map((op) => operations[op]).find((op) => op !== undefined);
  const before = steps.find(({ old }) => old)?.old ?? undefined;
  const after = steps.find((step) => step.new)?.new ?? undefined;
  const state = operation === "delete" ? before : after;
  const first = steps[0];
  if (operation === undefined || state === undefined || first === undefined) return undefined;
  // The function returns no change for a component, because a component has no object in the
  // cluster. The resources of the component are separate changes.
  if (/^(?:services:|pulumi:pulumi:)/.test(first.type)) return undefined;
  const inputs = readable(state.inputs ?? {}) as Change["inputs"];
  const nameBefore = clusterName(before);
  const deleted = ops.indexOf("delete-replaced");
  return {
    createBeforeDelete:
      operation === "replace" && (deleted === -1 || ops.indexOf("create-replacement") < deleted),
    fields: operation === "create" || operation === "delete" ? [] : fieldsOf(steps, before, after),
    inputs,
    kind: first.type.startsWith("pulumi:providers:")
      ? providerKind
      : (first.type.split(":").at(-1) ?? first.type),
    name: clusterName(state) ?? nameIn(first.urn),
    ...(nameBefore === undefined ? {} : { nameBefore }),
    operation,
    owner: ownerOf(state, all),
    protect: before?.protect === true,
    urn: first.urn,
  };
}

/**
 * Returns every resource that the update would change, except components. The order is the order of
 * the engine's events.
 */
export function changesOf({ steps }: Pick<Events, "steps">): readonly Change[] {
  const all = new Map<string, Step>();
  const byUrn = new Map<string, Step[]>();
  for (const step of steps) {
    if (stateIn(step)) all.set(step.urn, step);
    byUrn.set(step.urn, [...(byUrn.get(step.urn) ?? []), step]);
  }
  return [...byUrn.values()].flatMap((its) => changeOf(its, all) ?? []);
}
