import type { Declared } from "./declared";

/** One place where an object breaks a rule. */
export interface Broken {
  /** Value of the field. Must not be a secret, because messages contain this value. */
  readonly got: unknown;
  readonly must: string;
  /** Field, such as `spec.template.spec.hostNetwork`. */
  readonly path: string;
  /** What the author of the program must do to fix the field. */
  readonly todo: string;
}

/** A rule that every resource of every stack must satisfy. */
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
