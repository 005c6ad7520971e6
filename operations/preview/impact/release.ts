import type { Change, Field } from "../changes/changes";
import { releaseFields } from "./consequences";
import { moreSevere } from "./impact";
import { classifyField } from "./classify";
import { covers } from "../changes/paths";
import { show } from "../changes/values";

/**
 * The summary's line about the release: the release's old and new values, and the impact on each
 * component.
 */
export interface ReleaseLine {
  readonly effects: readonly { readonly names: readonly string[]; readonly says: string }[];
  /** The old and new values, such as `version 1a2b3c4 → 5d6e7f8`. */
  readonly values: readonly string[];
}

export const isRelease = ({ path }: Field): boolean =>
  releaseFields.some((field) => covers(field, path));

/** Names of the release's values in the summary. Fields with the same value share one name. */
const labels: readonly (readonly [RegExp, string])[] = [
  [/\bcommit_id$|DD_VERSION|datadoghq\.com\/version/, "version"],
  [/\bbranch$|\bversion$/, "branch"],
];

/**
 * Combines all changes to the release's values. Returns undefined if the release does not change.
 */
export function releaseOf(changes: readonly Change[]): ReleaseLine | undefined {
  const values = new Set<string>();
  const byEffect = new Map<string, Set<string>>();
  for (const change of changes.filter(({ operation }) => operation === "update")) {
    const its = change.fields.filter(isRelease);
    for (const { after = "", before = "", path } of its) {
      const [, name = "version"] = labels.find(([form]) => form.test(path)) ?? [];
      values.add(`${name} ${show(before)} → ${show(after)}`);
    }
    const [worst] = its
      .map((field) => classifyField(change, field))
      .sort((a, b) => moreSevere(a.effect, b.effect));
    if (worst === undefined) continue;
    const names = byEffect.get(worst.says) ?? new Set<string>();
    byEffect.set(worst.says, names.add(change.owner.name));
  }
  if (values.size === 0) return undefined;
  return {
    effects: [...byEffect].map(([says, names]) => ({ names: [...names], says })),
    values: [...values].sort((a, b) => (a > b ? -1 : 1)),
  };
}
