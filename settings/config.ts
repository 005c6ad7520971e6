/** Configuration of a stack: keys with their namespace, values as text or JSON. */
export type Config = Readonly<Record<string, string>>;

/**
 * Returns the configuration in a stack settings file, in the form in which Pulumi passes it to the
 * program.
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
 * Whether a value, or a part of a value, is a secret, which means that someone has stored it with
 * `--secret`.
 */
export function isSecret(value: string): boolean {
  return value.includes('{"secure":');
}
