/** Effects that a change can have on the running service. */

export type Effect =
  | "build"
  | "created"
  | "deleted"
  | "down"
  | "nextRun"
  | "nothing"
  | "remade"
  | "replaced"
  | "restarts"
  | "rolling"
  | "scaled"
  | "traffic"
  | "unknown";

/** Effects, from the least to the most severe. A summary begins with the most severe effect. */
export const bySeverity: readonly Effect[] = [
  "nothing",
  "build",
  "created",
  "remade",
  "nextRun",
  "scaled",
  "rolling",
  "traffic",
  "deleted",
  "unknown",
  "restarts",
  "down",
  "replaced",
];

/** The default text for each effect in a summary. */
export const words: Readonly<Record<Effect, string>> = {
  build: "an image is built",
  created: "new",
  deleted: "deleted",
  down: "no pod is left, downtime",
  nextRun: "from the next run on",
  nothing: "nothing",
  remade: "recreated, no downtime",
  replaced: "REPLACED, downtime",
  restarts: "restarts, downtime",
  rolling: "new pods, rolling, no downtime",
  scaled: "more or fewer pods",
  traffic: "requests are routed differently",
  unknown: "unknown impact: read Pulumi's diff",
};

/** Compares two effects for `sort`: the more severe effect comes first. */
export function moreSevere(a: Effect, b: Effect): number {
  return bySeverity.indexOf(b) - bySeverity.indexOf(a);
}

/**
 * Compares two impacts for `sort`: dangerous impacts come first. If both impacts are dangerous, or
 * if both are not dangerous, the impact with the more severe effect comes first.
 */
export function worseFirst(
  a: { readonly dangerous: boolean; readonly effect: Effect },
  b: { readonly dangerous: boolean; readonly effect: Effect },
): number {
  return Number(b.dangerous) - Number(a.dangerous) || moreSevere(a.effect, b.effect);
}
