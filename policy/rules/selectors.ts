import { at, unknown } from "./declared";
import type { Broken, Rule } from "./rule";

/**
 * Labels that change with a release. This program sets the labels for the branch, the commit and
 * Datadog's version. In other programs, the other two labels often contain a version.
 */
const changing: readonly string[] = [
  "app.kubernetes.io/version",
  "branch",
  "commit_id",
  "tags.datadoghq.com/version",
  "version",
];

/** Kinds whose `spec.selector` is a plain map of labels. */
const plainSelector: readonly string[] = ["ReplicationController", "Service"];

function broken(got: unknown, path: string): Broken {
  return {
    got,
    must: "not select by a label that changes with a release",
    path,
    todo: "select by selector() or trackSelector() of components/conventions/labels.ts",
  };
}

function ofMap(map: unknown, path: string): readonly Broken[] {
  if (map === unknown) return [];
  return changing
    .filter((label) => at(map, label) !== undefined)
    .map((label) => broken(at(map, label), `${path}["${label}"]`));
}

/**
 * Returns each place below a value where `matchLabels` or `matchExpressions` contains a label in
 * `changing`.
 */
function below(value: unknown, path: string): readonly Broken[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const here = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    if (key === "matchLabels") return ofMap(inner, here);
    if (key === "matchExpressions" && Array.isArray(inner)) {
      return inner.flatMap((expression: unknown, index) => {
        const label = at(expression, "key");
        const found = typeof label === "string" && changing.includes(label);
        return found ? [broken(label, `${here}[${String(index)}].key`)] : [];
      });
    }
    return below(inner, here);
  });
}

/**
 * A Deployment's selector is immutable. If the selector contains the version, Pulumi replaces the
 * Deployment at each release, and the replacement causes downtime. If a Service selects one
 * version, the Service sends no requests to the pods of another version.
 */
export const selectorWithoutRelease: Rule = {
  name: "selector-without-release",
  description: "No selector contains the version, the commit or the branch",
  check: ({ kind, props }) => [
    ...(plainSelector.includes(kind) ? ofMap(at(props, "spec", "selector"), "spec.selector") : []),
    ...below(at(props, "spec"), "spec"),
  ],
};
