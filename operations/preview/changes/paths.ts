/** Names and bracketed parts of a path: `a.b["c.d/e"][name=f]` has four. */
export function steps(path: string): readonly string[] {
  const all = path.match(/\["[^"]*"\]|\[[^\]]*\]|[^.[\]]+/g) ?? [];
  return all.map((step) => (step.startsWith('["') ? step.slice(2, -2) : step));
}

/** Whether a pattern names the field at a path or something above it; `[*]` is any element. */
export function covers(pattern: string, path: string): boolean {
  const wanted = steps(path);
  return steps(pattern).every((step, place) => {
    const given = wanted[place] ?? "";
    return step === given || (step === "[*]" && given.startsWith("["));
  });
}

/** Prefixes that every reader of a pod's fields knows. They only take up space. */
const known = [
  "spec.jobTemplate.spec.template.",
  "spec.template.",
  "spec.jobTemplate.spec.",
  "spec.",
] as const;

/** The part of a path that identifies the field: `env[ORDERS_MODE]` for a container's variable. */
export function short(path: string): string {
  const prefix = known.find((one) => path.startsWith(one)) ?? "";
  return path
    .slice(prefix.length)
    .replace(/^spec\./, "")
    .replace(/^containers\[[^\]]*\]\./, "")
    .replace(/\[(?:name|host|mountPath|path)=([^\]]*)\]/g, "[$1]")
    .replace(/(env\[[^\]]*\])\.value$/, "$1");
}
