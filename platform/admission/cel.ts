/** Returns a text, or a list of texts, as a CEL literal. JSON's strings are valid in CEL. */
export const cel = (value: string | readonly string[]): string => JSON.stringify(value);
