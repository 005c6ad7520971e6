import type { Declared } from "./declared";

/** One place where an object breaks a rule. */
export interface Broken {
  /** Value of the field. The value must not be a secret, because messages contain the value. */
  readonly got: unknown;
  readonly must: string;
  /** Field, such as `spec.template.spec.hostNetwork`. */
  readonly path: string;
  /** What the author of the program must do to fix the field. */
  readonly todo: string;
}

/** A rule of the policy pack. The pack checks every resource with every rule. */
export interface Rule {
  readonly check: (object: Declared) => readonly Broken[];
  readonly description: string;
  /** Name of the rule in messages and exceptions. */
  readonly name: string;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "symbol" ? "a value that is not known yet" : JSON.stringify(value);
}

/** Returns the message about a broken rule, in one line. */
export function message({ kind, name }: Declared, { got, must, path, todo }: Broken): string {
  return `${kind} "${name}": ${path} must ${must}, got ${shown(got)}; ${todo}`;
}
