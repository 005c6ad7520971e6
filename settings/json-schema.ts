/** What an editor is told about a setting: JSON Schema, as far as it is used. Pure data. */
export type Schema = Readonly<Record<string, unknown>>;

/** A parse function, with what an editor may say about the same values while they are typed. */
export type Parse<Value> = ((text: string) => Value | undefined) & { readonly schema: Schema };

/** Gives a parse function its schema. The function has the last word: a schema may allow more. */
export function withSchema<Value>(
  schema: Schema,
  parse: (text: string) => Value | undefined,
): Parse<Value> {
  return Object.assign((text: string) => parse(text), { schema });
}

/** An object with these fields and no others. */
export function objectOf(
  properties: Readonly<Record<string, Schema>>,
  required: string[] = [],
): Schema {
  return { additionalProperties: false, properties, required, type: "object" };
}

export function listOf(items: Schema): Schema {
  return { items, type: "array" };
}

/** A list in YAML, or names with commas between. */
export function wordsOf(items: Schema): Schema {
  return { anyOf: [listOf(items), { type: "string" }] };
}
