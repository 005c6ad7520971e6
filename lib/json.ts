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
