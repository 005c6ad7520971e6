/**
 * Returns a string, or a list of strings, as a CEL literal. JSON strings and lists are valid CEL
 * literals.
 */
export const cel = (value: string | readonly string[]): string => JSON.stringify(value);
