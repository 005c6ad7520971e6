/** The last word on one spec that a component makes: a pure function of the component's own spec. */
export type Override<Spec> = (defaults: Spec) => Spec;

/** The spec after the caller's override, if there is one. */
export function overridden<Spec>(override: Override<Spec> | undefined, defaults: Spec): Spec {
  return override === undefined ? defaults : override(defaults);
}
