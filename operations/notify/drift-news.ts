import { createHash } from "node:crypto";
import * as v from "valibot";
import { parsedJson } from "../../lib/json";
import { fromTo } from "../drift/drift";
import type { DriftReport } from "../drift/report";
import { cut } from "../preview/changes/values";

/** Longest name of a field, and most differences, that are remembered. */
const mostCharacters = 200;
const mostDifferences = 1_000;

const form = v.object({
  /** Whether the cluster could not be read, and Slack knows it. */
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

/** Nothing was told yet. */
export const nothingTold: Told = { differences: [], failed: false, version: 1 };

/** What to tell Slack now. */
export interface News {
  /** Differences that were not told before, a line for each. */
  readonly appeared: readonly string[];
  /** Whether the cluster could not be read, and Slack does not know it yet. */
  readonly failed: boolean;
  /** Objects and fields whose difference was told and is gone. */
  readonly gone: readonly string[];
}

/**
 * The memory in a text. Any branch can write the cache that keeps it, so everything in it is
 * checked. Undefined for a text that is not a memory of this version.
 */
export function parseTold(text: string): Told | undefined {
  return parsedJson(form, text);
}

/**
 * Compares the differences with what was told. A difference is known by its object, its field and
 * its values, and not by its time. Pure.
 *
 * @param report - undefined if the cluster could not be read
 * @returns the news, and what is told when they are sent
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
    // A field with another value now is among those that appeared.
    gone: told.differences
      .map(({ what }) => what)
      .filter((what) => !now.some((one) => one.what === what)),
  };
  const differences = now.slice(0, mostDifferences).map(({ id, what }) => ({ id, what }));
  return { news, then: { ...nothingTold, differences } };
}

/** A difference for people and for the memory. */
interface Difference {
  readonly id: string;
  readonly line: string;
  /** Its object and field. */
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
