import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../../lib/errors";
import { type Change, changesOf, isInternal, type Operation } from "./changes/changes";
import { leaves, unknown } from "./changes/differences";
import type { Events, Json } from "../pulumi/events";
import { titleIn } from "../pulumi/urn";
import { redactForPlan } from "./changes/values";

/** One resource that an approved preview changes. */
interface PlannedChange {
  /**
   * The new value of each changed field, by the field's path. A hash stands for a long or secret
   * value. For a new object, `fields` contains all fields of the object.
   */
  readonly fields: Readonly<Record<string, string>>;
  readonly operation: Operation;
  readonly urn: string;
}

/** All changes in an approved preview. A later update may make only these changes, or fewer. */
export interface Plan {
  readonly changes: readonly PlannedChange[];
  readonly stack: string;
  readonly version: 1;
}

/**
 * Returns the names that are different in every preview because Pulumi generates them. For each
 * name, the map contains a text that is the same in every preview.
 */
function drawnNames(changes: readonly Change[]): ReadonlyMap<string, string> {
  const isDrawn = ({ inputs }: Change) => JSON.stringify(inputs).includes("pulumi.com/autonamed");
  return new Map(
    changes
      .filter((change) => change.operation !== "delete" && isDrawn(change))
      .map(({ kind, name, owner }) => [name, `a new name for the ${kind} of ${owner.name}`]),
  );
}

/** Creates a plan from the engine's events of a preview. This function is pure. */
export function planOf(stack: string, events: Pick<Events, "steps">): Plan {
  // The plan contains the replacements of Pulumi providers, but no other changes to Pulumi
  // providers. The reason is that the approved preview and the deploy may use different
  // kubeconfigs.
  const changes = changesOf(events).filter((change) => !isInternal(change));
  const drawn = drawnNames(changes);
  const stable = (kind: string, path: string, value: Json | undefined) =>
    redactForPlan(kind, path, typeof value === "string" ? (drawn.get(value) ?? value) : value);
  return {
    changes: changes.map(({ fields, inputs, kind, operation, urn }) => {
      const values =
        operation === "create"
          ? leaves(inputs)
          : fields.map(({ after, path }) => [path, after] as const);
      return {
        fields: Object.fromEntries(
          values.map(([path, value]) => [path, stable(kind, path, value)]),
        ),
        operation,
        urn,
      };
    }),
    stack,
    version: 1,
  };
}

const words: Readonly<Record<Operation, string>> = {
  create: "be created",
  delete: "be deleted",
  replace: "be REPLACED",
  update: "be changed",
};

/**
 * Whether the approved plan allows the current value of a field. If the value was unknown in the
 * approved preview, the plan allows every value of this field.
 */
function matches(approved: string | undefined, current: string): boolean {
  return approved === current || approved === JSON.stringify(unknown);
}

/**
 * Returns one line for each resource or field that the current plan changes differently from the
 * approved plan, or that only the current plan changes. Empty if the current plan makes the same
 * changes or fewer. This function is pure.
 */
export function exceeds(approved: Plan, current: Plan): readonly string[] {
  if (approved.stack !== current.stack) {
    return [
      `the approved plan is for stack ${approved.stack}, and this plan is for stack ${current.stack}`,
    ];
  }
  const byUrn = new Map(approved.changes.map((change) => [change.urn, change]));
  return current.changes.flatMap(({ fields, operation, urn }) => {
    const before = byUrn.get(urn);
    const name = titleIn(urn);
    if (before === undefined) return [`${name} would now ${words[operation]} too`];
    // A failed update may already have created or replaced the object. In this case, the current
    // plan has only an update of the object. The approval of the creation or replacement includes
    // this update.
    const lesser = before.operation !== "delete" && operation === "update";
    if (before.operation !== operation && !lesser) {
      return [
        `${name} was approved to ${words[before.operation]}, and would now ${words[operation]}`,
      ];
    }
    return Object.entries(fields)
      .filter(([path, after]) => !matches(before.fields[path], after))
      .map(([path, after]) => {
        const was = before.fields[path];
        const now = after === "" ? "nothing" : after;
        return was === undefined
          ? `${name}: ${path} would now change too, to ${now}`
          : `${name}: ${path} was approved as ${was === "" ? "nothing" : was}, and is now ${now}`;
      });
  });
}

export function savePlan(file: string, plan: Plan): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(plan, undefined, 2)}\n`);
}

/**
 * Reads a plan from a file. The file contains either a plan, or the JSON output of a preview. This
 * JSON output includes a plan.
 *
 * @throws UserError if the file has no plan of version 1
 */
export function loadPlan(file: string): Plan {
  try {
    const given = JSON.parse(readFileSync(file, "utf8")) as { readonly plan?: unknown };
    const plan = (given.plan ?? given) as Partial<Plan>;
    if (plan.version === 1 && typeof plan.stack === "string" && Array.isArray(plan.changes)) {
      return plan as Plan;
    }
  } catch {
    // The file cannot be read or is not JSON. The error below is correct in both cases.
  }
  throw new UserError(
    `${file} is not a plan of an approved preview. Save one with: npm run preview -- STACK --save-plan ${file}`,
  );
}
