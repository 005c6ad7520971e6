import { readFileSync } from "node:fs";
import * as v from "valibot";

/** Parses JSON. Returns undefined if the text is not JSON or the value does not fit the schema. */
export function parsedJson<const Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
): v.InferOutput<Schema> | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Parses a JSON file. Returns undefined if this process cannot read the file, if the content is not
 * JSON, or if the content does not fit the schema.
 */
export function parsedFile<const Schema extends v.GenericSchema>(
  schema: Schema,
  file: string,
): v.InferOutput<Schema> | undefined {
  try {
    return parsedJson(schema, readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
