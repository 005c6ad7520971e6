import { createHash } from "node:crypto";
import * as v from "valibot";
import { parsedJson } from "../../lib/json";
import { fromTo } from "../drift/drift";
import type { DriftReport } from "../drift/report";
import { cut } from "../preview/changes/values";

/**
 * Longest text about an object and its field, in characters. The text is in the file that stores
 * what earlier messages have reported.
 */
const mostCharacters = 200;
/** Largest number of differences in the file that stores what earlier messages have reported. */
const mostDifferences = 1_000;

const form = v.object({
  /**
   * Whether the last comparison with the cluster failed, and a message has reported this failure.
   */
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

/**
 * Content of the file that stores what earlier messages have reported about the drift of a stack.
 */
export type Told = v.InferOutput<typeof form>;

/** The content of the file before the first message about a stack. */
export const nothingTold: Told = { differences: [], failed: false, version: 1 };

/** Content of the next message. */
export interface News {
  /** Differences that are not in {@link Told}, one line for each difference. */
  readonly appeared: readonly string[];
  /**
   * Whether the message must say that the comparison with the cluster failed. False if the previous
   * comparison failed too and a message has reported that failure.
   */
  readonly failed: boolean;
  /** Objects and fields that are in {@link Told}, and that no longer differ. */
  readonly gone: readonly string[];
}

/**
 * Parses the file that stores what earlier messages have reported. The file comes from the CI
 * cache. Without a deploy project, the jobs of any branch can write to this cache, so this function
 * checks every value. Undefined if the text does not have the expected form.
 */
export function parseTold(text: string): Told | undefined {
  return parsedJson(form, text);
}

/**
 * Compares the differences with what earlier messages have reported. Two differences are the same
 * if they have the same object, field and values. The time of the change and the tool that made the
 * change do not matter. This function is pure.
 *
 * @param report - undefined if the comparison with the cluster failed
 * @returns the news, and the content of the file after Slack has accepted the news
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
    // If a field still differs, but with another value, the field is in `appeared`, not in `gone`.
    gone: told.differences
      .map(({ what }) => what)
      .filter((what) => !now.some((one) => one.what === what)),
  };
  const differences = now.slice(0, mostDifferences).map(({ id, what }) => ({ id, what }));
  return { news, then: { ...nothingTold, differences } };
}

/** A difference: the message contains `line`, and the file contains `id` and `what`. */
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
