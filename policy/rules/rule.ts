import type { Declared } from "./declared";

/** One place where an object breaks a rule. */
export interface Broken {
  /** Value that was found. Never a secret: it is printed. */
  readonly got: unknown;
  readonly must: string;
  /** Field, such as `spec.template.spec.hostNetwork`. */
  readonly path: string;
  /** What to do. */
  readonly todo: string;
}

/** A rule that every resource of every stack must keep. */
export interface Rule {
  readonly check: (object: Declared) => readonly Broken[];
  readonly description: string;
  /** Its name in messages and exceptions. */
  readonly name: string;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "symbol" ? "a value that is not known yet" : JSON.stringify(value);
}

/** The message, in one line. */
export function message({ kind, name }: Declared, { got, must, path, todo }: Broken): string {
  return `${kind} "${name}": ${path} must ${must}, got ${shown(got)}; ${todo}`;
}
