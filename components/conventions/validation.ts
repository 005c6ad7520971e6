import { budgets, isDnsLabel } from "./names";

/** A value that violates a rule: the arg, the rule, the wrong value, and how to fix the value. */
export interface ValidationIssue {
  readonly arg: string;
  /** What the user must do to fix the value. */
  readonly fix: string;
  readonly got: unknown;
  /** Text after "must" in the message. */
  readonly rule: string;
}

/** The result of a rule: an issue, or `undefined` if the arg satisfies the rule. */
export type Checked = ValidationIssue | undefined;

/** Returns `issue` if `ok` is false, otherwise `undefined`. */
export function check(ok: boolean, issue: ValidationIssue): Checked {
  return ok ? undefined : issue;
}

/** Returns an issue if the arg is set and is not an integer from `min` to `max`. */
export function integer(arg: string, got: number | undefined, min: number, max: number): Checked {
  if (got === undefined) return undefined;
  const fix = !Number.isInteger(got)
    ? "write a number without a fraction"
    : got < min
      ? `raise it to at least ${String(min)}`
      : `lower it to at most ${String(max)}`;
  return check(Number.isInteger(got) && got >= min && got <= max, {
    arg,
    fix,
    got,
    rule: `be an integer from ${String(min)} to ${String(max)}`,
  });
}

/** Returns an issue if the text is not a DNS label of at most `max` characters. */
export function dnsLabel(arg: string, got: string, max: number = budgets.dnsLabel): Checked {
  return check(isDnsLabel(got, max), {
    arg,
    fix: "use lower case letters, digits and hyphens, start with a letter, and do not end with a hyphen",
    got,
    rule: `be a DNS label of at most ${String(max)} characters`,
  });
}

/**
 * Form of a digest reference: a repository, `@` and a digest. Someone can move a tag to another
 * image, but a digest always identifies the same image.
 */
export const imageRefForm = /^[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}$/;

/**
 * Returns an issue if an image reference has no digest. The function does not check outputs,
 * because the output of a ContainerImage has a digest.
 */
export function imageRef(arg: string, got: unknown): Checked {
  return check(typeof got !== "string" || imageRefForm.test(got), {
    arg,
    fix: "name the image by its digest: a tag may be moved",
    got,
    rule: "be repository@sha256:<64 hex digits>",
  });
}

/** A value with its path in the args, such as `volumes[0].name`. */
export type Placed<T = string> = Pick<ValidationIssue, "arg"> & { readonly got: T };

/** Returns the elements of a list, with their paths. */
export function elements<T>(arg: string, list: readonly T[] = []): readonly Placed<T>[] {
  return list.map((got, i) => ({ arg: `${arg}[${String(i)}]`, got }));
}

/** Returns one field of each element of a list, with the path of the field. */
export function fields<Element, Key extends keyof Element & string>(
  arg: string,
  key: Key,
  list: readonly Element[] = [],
): readonly Placed<Element[Key]>[] {
  return elements(arg, list).map(({ arg, got }) => ({ arg: `${arg}.${key}`, got: got[key] }));
}

/** Returns an issue for each value that the function `ok` rejects. */
export function each<T>(
  values: readonly Placed<T>[],
  ok: (got: T) => boolean,
  rule: Pick<ValidationIssue, "fix" | "rule">,
): readonly ValidationIssue[] {
  return values.filter(({ got }) => !ok(got)).map((value) => ({ ...value, ...rule }));
}

/**
 * Returns an issue for each value that is in `taken`, or that an earlier element of `values`
 * already has.
 */
export function unique(
  taken: readonly unknown[],
  values: readonly Placed<unknown>[],
  fix = "choose another one",
): readonly Checked[] {
  return values.map(({ arg, got }, i) => {
    const before = [...taken, ...values.slice(0, i).map((value) => value.got)];
    const issue = { arg, fix, got, rule: "be unique" };
    return check(got === undefined || !before.includes(got), issue);
  });
}

/** Returns the entries that are in the list more than once. */
export function duplicates<T>(list: readonly T[]): readonly T[] {
  return [...new Set(list.filter((entry, i) => list.indexOf(entry) !== i))];
}
