/**
 * Returns a text, or a list of texts, as a CEL literal. JSON strings and lists are valid CEL
 * literals.
 */
export const cel = (value: string | readonly string[]): string => JSON.stringify(value);
