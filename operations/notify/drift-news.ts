import { createHash } from "node:crypto";
import * as v from "valibot";
import { parsedJson } from "../../lib/json";
import { fromTo } from "../drift/drift";
import type { DriftReport } from "../drift/report";
import { cut } from "../preview/changes/values";

/** Longest name of an object and its field that is remembered, in characters. */
const mostCharacters = 200;
/** Largest number of differences that are remembered. */
const mostDifferences = 1_000;

const form = v.object({
  /** Whether Slack was told that the cluster could not be read. */
  failed: v.boolean(),
  differences: v.pipe(
    v.array(
      v.object({
        id: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
        what: v.pipe(v.string(), v.maxLength(mostCharacters)),
      }),
    ),
    v.maxLength(mostDifferences),
  ),
  version: v.literal(1),
});

/** What Slack has been told about the drift of a stack. */
export type Told = v.InferOutput<typeof form>;

/** The value before Slack was told anything. */
export const nothingTold: Told = { differences: [], failed: false, version: 1 };

/** What to tell Slack now. */
export interface News {
  /** Differences that Slack was not told before, one line for each. */
  readonly appeared: readonly string[];
  /** Whether the cluster could not be read, and Slack was not told this before. */
  readonly failed: boolean;
  /** Objects and fields that no longer differ, and whose difference Slack was told. */
  readonly gone: readonly string[];
}

/**
 * Parses the file that remembers what Slack was told. Any branch can write to the CI cache with
 * this file, so every value is checked. Undefined if the text does not have the form of this
 * version.
 */
export function parseTold(text: string): Told | undefined {
  return parsedJson(form, text);
}

/**
 * Compares the differences with what Slack was told. Two differences are the same if they have the
 * same object, field and values. The time and the tool do not matter. This function is pure.
 *
 * @param report - undefined if the cluster could not be read
 * @returns the news, and what Slack has been told after the news was sent
 */
export function newsOf(
  report: DriftReport | undefined,
  told: Told,
): { readonly news: News; readonly then: Told } {
  if (report === undefined) {
    const news = { appeared: [], failed: !told.failed, gone: [] };
    return { news, then: { ...told, failed: true } };
  }
  const now = differencesIn(report);
  const isTold = (id: string): boolean => told.differences.some((one) => one.id === id);
  const news = {
    appeared: now.filter(({ id }) => !isTold(id)).map(({ line }) => line),
    failed: false,
    // If a field differs again with another value, the field is in `appeared`, not in `gone`.
    gone: told.differences
      .map(({ what }) => what)
      .filter((what) => !now.some((one) => one.what === what)),
  };
  const differences = now.slice(0, mostDifferences).map(({ id, what }) => ({ id, what }));
  return { news, then: { ...nothingTold, differences } };
}

/** A difference: `line` is for people, `id` and `what` are remembered. */
interface Difference {
  readonly id: string;
  readonly line: string;
  /** The object and the field of the difference. */
  readonly what: string;
}

function differencesIn({ changed, gone }: DriftReport): readonly Difference[] {
  return [
    ...gone.map(({ kind, name, namespace }) => {
      const what = cut(`${kind} ${name}`, mostCharacters);
      return { id: idOf(kind, namespace, name), line: `${kind} ${name} is gone`, what };
    }),
    ...changed.flatMap(({ fields, kind, name, namespace }) =>
      fields.map(({ by, declared, live, path }) => ({
        id: idOf(kind, namespace, name, path, declared, live),
        line: `${kind} ${name}: ${path}: ${fromTo(declared, live)} (${by ?? "removed"})`,
        what: cut(`${kind} ${name}: ${path}`, mostCharacters),
      })),
    ),
  ];
}

const idOf = (...parts: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex");
