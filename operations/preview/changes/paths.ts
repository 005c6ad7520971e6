/** Splits a path into names and parts in brackets: `a.b["c.d/e"][name=f]` has four parts. */
export function steps(path: string): readonly string[] {
  const all = path.match(/\["[^"]*"\]|\[[^\]]*\]|[^.[\]]+/g) ?? [];
  return all.map((step) => (step.startsWith('["') ? step.slice(2, -2) : step));
}

/**
 * Whether a pattern matches a field or one of the field's parents. `[*]` matches any list element.
 */
export function covers(pattern: string, path: string): boolean {
  const wanted = steps(path);
  return steps(pattern).every((step, place) => {
    const given = wanted[place] ?? "";
    return step === given || (step === "[*]" && given.startsWith("["));
  });
}

/** Prefixes of field paths that the summary omits, because they do not help to identify a field. */
const known = [
  "spec.jobTemplate.spec.template.",
  "spec.template.",
  "spec.jobTemplate.spec.",
  "template.",
  "spec.",
] as const;

/**
 * Shortens a path to the part that identifies the field, such as `env[ORDERS_MODE]` for a variable.
 */
export function short(path: string): string {
  const prefix = known.find((one) => path.startsWith(one)) ?? "";
  return path
    .slice(prefix.length)
    .replace(/^spec\./, "")
    .replace(/^containers\[[^\]]*\]\./, "")
    .replace(/\[(?:name|host|mountPath|path)=([^\]]*)\]/g, "[$1]")
    .replace(/(env\[[^\]]*\])\.value$/, "$1");
}
