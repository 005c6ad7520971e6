import * as pulumi from "@pulumi/pulumi";

/** One broken rule: which arg, what holds for it, what it was, what to do. */
export interface Fault {
  readonly arg: string;
  readonly got: unknown;
  readonly rule: string;
  readonly todo: string;
}

/** `fault` unless `ok`; an undefined entry is no fault, so rules can be written as a list. */
export function unless(ok: boolean, fault: Fault): Fault | undefined {
  return ok ? undefined : fault;
}

/** A fault unless the arg is a whole number within its bounds. */
export function wholeNumber(arg: string, got: number, min: number, max: number): Fault | undefined {
  return unless(Number.isInteger(got) && got >= min && got <= max, {
    arg,
    got,
    rule: `be a whole number from ${String(min)} to ${String(max)}`,
    todo: "correct it",
  });
}

/** A digest reference: a repository, `@`, and a digest. A tag may be moved, a digest not. */
export const imageRefForm = /^[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}$/;

/**
 * Throws every fault of a component in one message, one line each.
 * Call it before the first child, so that a faulty component leaves nothing behind.
 *
 * @throws pulumi.ResourceError, of which Pulumi prints the text without a stack.
 */
export function refuse(
  resource: pulumi.Resource,
  type: string,
  name: string,
  faults: readonly (Fault | undefined)[],
): void {
  const lines = faults
    .filter((fault) => fault !== undefined)
    .map(
      ({ arg, got, rule, todo }) =>
        `${type} "${name}": ${arg} must ${rule}, got ${JSON.stringify(got)}; ${todo}`,
    );
  if (lines.length > 0) throw new pulumi.ResourceError(lines.join("\n"), resource, true);
}
