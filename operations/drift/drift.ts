import { controllers } from "../../config/controllers";
import { masked, secret, withoutSecrets } from "../../components/conventions/secrets/masked";
import { isSensitive, secretsIn, show } from "../preview/changes/values";
import {
  type Key,
  type LiveObject,
  type Seen,
  goneFrom,
  isSame,
  keyOf,
} from "../pulumi/live-objects";
import type { Json } from "../pulumi/events";
import type { StateResource } from "../pulumi/stacks";
import { moment } from "../../lib/time";
import { type Difference, differencesOf } from "./differences";
import type { Segment } from "./paths";

/** An object that someone has changed in the cluster. */
export interface ChangedObject {
  readonly differences: readonly Difference[];
  /** Fields that the last update wrote and that a controller has set since then. */
  readonly kept: readonly (readonly Segment[])[];
  readonly live: LiveObject;
  readonly resource: StateResource;
}

/** How the cluster differs from what the stack's last update wrote. */
export interface Drift {
  readonly changed: readonly ChangedObject[];
  readonly gone: readonly Key[];
}

/** Compares the objects in the state with the objects in the cluster. This function is pure. */
export function driftOf(seen: Seen): Drift {
  const changed = seen.resources.flatMap((resource) => {
    const live = seen.objects.find((one) => isSame(one, keyOf(resource)));
    const manager = resource.outputs?.["__fieldManager"];
    if (live === undefined || typeof manager !== "string") return [];
    const { differences, kept } = differencesOf({
      declared: resource.inputs ?? {},
      isController: (name) => controllers.includes(name),
      live,
      manager,
    });
    return differences.length === 0 ? [] : [{ differences, kept, live, resource }];
  });
  return { changed, gone: goneFrom(seen) };
}

/**
 * Returns one line for each difference. The line about a changed field contains the object, the
 * field, its declared and its current value, the tool that changed the field, and the time.
 */
export function linesOf({ changed, gone }: Drift): readonly string[] {
  return [
    ...gone.map(({ kind, metadata }) => `${kind} ${metadata.name} is gone`),
    ...changed.flatMap(({ differences, live: { kind, metadata } }) =>
      differences.map((one) => `${kind} ${metadata.name}: ${lineOf(kind, one)}`),
    ),
  ];
}

/**
 * Whether an object is gone, or a field does not have the value that the last update wrote. Ignores
 * added fields, because they do not change what the last update wrote.
 */
export function isReverted({ changed, gone }: Drift): boolean {
  const declared = changed.some(({ differences }) =>
    differences.some((one) => one.declared !== undefined),
  );
  return declared || gone.length > 0;
}

function lineOf(kind: string, { by, declared, live, path, time }: Difference): string {
  const at = time === undefined ? "" : `, ${moment(new Date(time))}`;
  const who = by === undefined ? " (removed; the cluster does not name the tool)" : ` (${by}${at})`;
  return `${path}: ${fromTo(shown(kind, path, declared), shown(kind, path, live))}${who}`;
}

/**
 * Returns both values of a field as a text, such as `3 → 5`. Undefined and null mean that the field
 * is not set. The caller must mask secrets before the call.
 */
export function fromTo(declared: unknown, live: unknown): string {
  const text = (value: unknown): string =>
    value === undefined || value === null ? "not set" : show(value as Json);
  return `${text(declared)} → ${text(live)}`;
}

/** Masks the secrets in a field's value, and returns the result. */
export function shown(kind: string, path: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (isSensitive(kind, path)) return secret;
  const text = JSON.stringify(value);
  const safe = withoutSecrets(masked(text, secretsIn(value as Json)));
  return safe === text ? value : safe;
}
