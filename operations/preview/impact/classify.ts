import type { Change, Field } from "../changes/changes";
import { type Consequence, consequences, type Kind, undescribed } from "./consequences";
import { valueAt } from "../changes/differences";
import { words } from "./impact";
import { covers } from "../changes/paths";

/** The impact of one change, and whether a person must check the change. */
export interface Impact {
  readonly dangerous: boolean;
  readonly effect: Consequence["effect"];
  readonly says: string;
}

function impactOf({ dangerous = false, effect, says }: Consequence): Impact {
  return { dangerous, effect, says: says ?? words[effect] };
}

const kindOf = ({ kind }: Change): Kind => consequences[kind] ?? undescribed;

/**
 * Returns the impact of a change to a Deployment's pod template. The impact depends on the number
 * of replicas and on the update strategy.
 */
function rollout({ inputs }: Change): Impact {
  const replicas = Number(valueAt(inputs, "spec.replicas") ?? 1);
  const most = valueAt(inputs, "spec.strategy.rollingUpdate.maxUnavailable");
  const all = most === "100%" || (typeof most === "number" && most >= replicas);
  if (replicas === 0) return impactOf({ effect: "nothing", says: "nothing: it has no pods" });
  if (valueAt(inputs, "spec.strategy.type") === "Recreate" || all) {
    return impactOf({
      dangerous: true,
      effect: "restarts",
      says: "all pods restart together, downtime",
    });
  }
  return impactOf({ effect: "rolling" });
}

function pods(count: number): string {
  return `${String(count)} ${count === 1 ? "pod" : "pods"}`;
}

function scaling({ after, before }: Field): Impact {
  const more = Number(after ?? 1) - Number(before ?? 1);
  if (after === 0) return impactOf({ dangerous: true, effect: "down" });
  if (Number.isNaN(more) || more === 0) return impactOf({ effect: "scaled" });
  const says = more > 0 ? `${pods(more)} more` : `${pods(-more)} fewer, after open requests end`;
  return impactOf({ effect: "scaled", says });
}

/**
 * Returns the impact of a change to one field. If a change to this field replaces the object,
 * returns the impact of the replacement.
 */
export function classifyField(change: Change, field: Field): Impact {
  const kind = kindOf(change);
  if (change.operation === "replace" && field.replaces) return impactOf(kind.replace);
  const [, consequence = undescribed.fields[""]] =
    Object.entries(kind.fields).find(([pattern]) => covers(pattern, field.path)) ?? [];
  const found: Consequence = consequence ?? { effect: "unknown" };
  if (found.effect === "rolling") return rollout(change);
  if (found.effect === "scaled" && field.path === "spec.replicas") return scaling(field);
  if (change.kind === "CronJob" && field.path === "spec.suspend") {
    return impactOf({
      ...found,
      says: field.after === true ? "runs are suspended" : "runs resume",
    });
  }
  return impactOf(found);
}

/** Returns the impact of the creation, deletion or replacement of a whole object. */
export function classifyObject(change: Change): Impact {
  const kind = kindOf(change);
  const consequence =
    change.operation === "create"
      ? (kind.create ?? { effect: "created" })
      : change.operation === "delete"
        ? kind.delete
        : kind.replace;
  const impact = impactOf(consequence);
  return change.protect && change.operation !== "create"
    ? {
        ...impact,
        dangerous: true,
        says: `${impact.says}; it is protected, so Pulumi refuses the change`,
      }
    : impact;
}
