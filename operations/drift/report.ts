import * as v from "valibot";
import { parsedJson } from "../../lib/json";
import { type Drift, shown } from "./drift";

const object = {
  kind: v.string(),
  name: v.string(),
  namespace: v.optional(v.string()),
};

/**
 * A changed field. `declared` is null if the last update did not write the field. `live` is null if
 * the field is gone.
 */
const field = v.object({
  by: v.nullable(v.string()),
  declared: v.unknown(),
  live: v.unknown(),
  path: v.string(),
  time: v.nullable(v.string()),
});

const form = v.object({
  changed: v.array(v.object({ ...object, fields: v.array(field) })),
  gone: v.array(v.object(object)),
  stack: v.string(),
  version: v.literal(1),
});

/**
 * The differences between a stack's last update and the cluster, without secrets. `npm run drift --
 * --json` prints the differences in this form.
 */
export type DriftReport = v.InferOutput<typeof form>;

export function reportOf(stack: string, { changed, gone }: Drift): DriftReport {
  return {
    stack,
    gone: gone.map(({ kind, metadata: { name, namespace } }) => ({ kind, name, namespace })),
    changed: changed.map(({ differences, live: { kind, metadata } }) => ({
      kind,
      name: metadata.name,
      namespace: metadata.namespace,
      fields: differences.map(({ by, declared, live, path, time }) => ({
        path,
        declared: shown(kind, path, declared ?? null),
        live: shown(kind, path, live ?? null),
        by: by ?? null,
        time: time ?? null,
      })),
    })),
    version: 1,
  };
}

/** Parses a report. Undefined if the text is not a report of this version. */
export function parseReport(text: string): DriftReport | undefined {
  return parsedJson(form, text);
}
