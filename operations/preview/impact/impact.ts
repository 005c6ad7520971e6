/** What a change does to the running service, in the words that the summary uses. */

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

/** From unnoticeable to severe: a summary begins with the worst. */
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

/** The default words for each effect. */
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

/** Sorts the more severe effect first. */
export function moreSevere(a: Effect, b: Effect): number {
  return bySeverity.indexOf(b) - bySeverity.indexOf(a);
}

/** Sorts what is dangerous first, then the more severe effect. */
export function worseFirst(
  a: { readonly dangerous: boolean; readonly effect: Effect },
  b: { readonly dangerous: boolean; readonly effect: Effect },
): number {
  return Number(b.dangerous) - Number(a.dangerous) || moreSevere(a.effect, b.effect);
}
