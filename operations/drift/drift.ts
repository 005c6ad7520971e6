import { controllers } from "../../config/controllers";
import { secretParts } from "../../components/conventions/secrets/secret-texts";
import { secret } from "../preview/changes/differences";
import { isSensitive, masked, show } from "../preview/changes/values";
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
  /** Fields whose value a controller decides. */
  readonly kept: readonly (readonly Segment[])[];
  readonly live: LiveObject;
  readonly resource: StateResource;
}

/** How the cluster differs from what the stack's last update wrote. */
export interface Drift {
  readonly changed: readonly ChangedObject[];
  readonly gone: readonly Key[];
}

/** Compares what the state and the cluster say. Pure. */
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

/** One line for each difference: object, field, values, tool and time. */
export function linesOf({ changed, gone }: Drift): readonly string[] {
  return [
    ...gone.map(({ kind, metadata }) => `${kind} ${metadata.name} is gone`),
    ...changed.flatMap(({ differences, live: { kind, metadata } }) =>
      differences.map((one) => `${kind} ${metadata.name}: ${lineOf(kind, one)}`),
    ),
  ];
}

/** Whether the cluster lacks what the last update wrote. A field that was added is harmless. */
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

/** `3 → 5`: both values of a field, without secrets. Undefined and null: the field is not set. */
export function fromTo(declared: unknown, live: unknown): string {
  const text = (value: unknown): string =>
    value === undefined || value === null ? "not set" : show(value as Json);
  return `${text(declared)} → ${text(live)}`;
}

/** A field's value without secrets. */
export function shown(kind: string, path: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (isSensitive(kind, path)) return secret;
  const text = JSON.stringify(value);
  const safe = masked(text, secretParts(text));
  return safe === text ? value : safe;
}
