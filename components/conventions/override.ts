import type * as pulumi from "@pulumi/pulumi";

type Scalar = boolean | number | string | null | undefined;
type Later = Promise<unknown> | pulumi.OutputInstance<unknown>;

/**
 * A spec as a component makes it: its objects and lists are plain, so that a nested field can be
 * reached; only single values, as the name of another object, may be known later. What an arg or an
 * earlier override brought along as an output stays one, whatever this type says.
 */
export type Plain<T> = [Exclude<T, Later>] extends [Scalar] ? T : PlainObject<Exclude<T, Later>>;

type PlainObject<T> = T extends Scalar
  ? T
  : T extends readonly (infer Element)[]
    ? Plain<Element>[]
    : { [Key in keyof T]: Plain<T[Key]> };

/**
 * The last word on one spec that a component makes: a pure function of the component's own spec.
 * A misspelt field compiles, because TypeScript does not look for it in what a function returns; it
 * is the cluster that refuses it.
 */
export type Override<Spec> = (defaults: Plain<Spec>) => Spec;

/** The spec after the caller's override, if there is one. */
export function applyOverride<Spec>(override: Override<Spec> | undefined, defaults: Spec): Spec {
  return override === undefined ? defaults : override(defaults as Plain<Spec>);
}
