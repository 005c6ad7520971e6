import type * as pulumi from "@pulumi/pulumi";

type Scalar = boolean | number | string | null | undefined;
type Later = Promise<unknown> | pulumi.OutputInstance<unknown>;

/**
 * A spec as a component creates it. Objects and lists are plain, so that an override can read
 * nested fields. Only single values, such as the name of another object, may be outputs. If an arg
 * contains an output, or if an earlier override returns an output, that value is still an output at
 * run time, although this type declares a plain value.
 */
export type Plain<T> = [Exclude<T, Later>] extends [Scalar] ? T : PlainObject<Exclude<T, Later>>;

type PlainObject<T> = T extends Scalar
  ? T
  : T extends readonly (infer Element)[]
    ? Plain<Element>[]
    : { [Key in keyof T]: Plain<T[Key]> };

/**
 * Changes one spec of a component: a pure function that receives the component's own spec and
 * returns the final spec. A spec with a misspelled field compiles, because TypeScript does not
 * report extra fields in the return value of a function. The cluster refuses such a spec.
 */
export type Override<Spec> = (defaults: Plain<Spec>) => Spec;

/**
 * Returns the spec after the caller's override. Without an override, returns the spec unchanged.
 */
export function applyOverride<Spec>(override: Override<Spec> | undefined, defaults: Spec): Spec {
  return override === undefined ? defaults : override(defaults as Plain<Spec>);
}
