import type { Events, Json, Step } from "../../../operations/pulumi/events";

/** These functions create events of a preview, for cases that no recorded event log contains. */

const stack = "urn:pulumi:prod::services-orders";
const componentUrn = (type: string, name: string) => `${stack}::services:k8s:${type}::${name}`;

export function component(type: string, name: string, op = "same"): Step {
  const urn = componentUrn(type, name);
  const state = { type: `services:k8s:${type}`, urn };
  return { ...(op === "delete" ? { old: state } : { new: state }), op, type: state.type, urn };
}

interface Made {
  readonly after?: Readonly<Record<string, Json>>;
  readonly before?: Readonly<Record<string, Json>>;
  readonly detailedDiff?: Step["detailedDiff"];
  readonly in: readonly [string, string];
  readonly keys?: readonly string[];
  readonly name?: string;
  readonly protect?: boolean;
}

/** Returns a step for one object. `kind` has the form `apps/v1:Deployment`. */
export function object(op: string, kind: string, made: Made): Step {
  const [ownerType, ownerName] = made.in;
  const { name = ownerName } = made;
  const type = kind.includes(":") && kind.split(":").length > 2 ? kind : `kubernetes:${kind}`;
  const urn = `${stack}::services:k8s:${ownerType}$${type}::${name}`;
  const state = (inputs: Readonly<Record<string, Json>>) => ({
    inputs: { metadata: { name, namespace: "orders" }, ...inputs },
    parent: componentUrn(ownerType, ownerName),
    type,
    urn,
    ...(made.protect === true ? { protect: true } : {}),
  });
  return {
    op,
    type,
    urn,
    ...(made.before === undefined ? {} : { old: state(made.before) }),
    ...(made.after === undefined ? {} : { new: state(made.after) }),
    ...(made.keys === undefined ? {} : { keys: made.keys }),
    ...(made.detailedDiff === undefined ? {} : { detailedDiff: made.detailedDiff }),
  };
}

export function events(steps: readonly Step[], rest: Partial<Events> = {}): Events {
  return { complete: true, errors: [], violations: [], steps, warnings: [], ...rest };
}
