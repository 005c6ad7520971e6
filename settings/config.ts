/** Configuration of a stack: keys with their namespace, values as text or JSON. */
export type Config = Readonly<Record<string, string>>;

/**
 * Returns the configuration in a stack settings file, in the form in which Pulumi passes a
 * configuration to the program.
 */
export function configOf(file: { readonly config?: unknown } | null): Config {
  return Object.fromEntries(
    Object.entries(file?.config ?? {}).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/**
 * Whether a value is a secret, or contains a secret. A secret is a value that someone has stored
 * with `--secret`.
 */
export function isSecret(value: string): boolean {
  return value.includes('{"secure":');
}
