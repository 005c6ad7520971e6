import * as pulumi from "@pulumi/pulumi";

/** Configuration of a stack: keys with their namespace, values as text or JSON. */
export type Config = Readonly<Record<string, string>>;

/** Configuration of a stack's file, in the form in which Pulumi passes it to the program. */
export function configOf(file: { readonly config?: unknown } | null): Config {
  return Object.fromEntries(
    Object.entries(file?.config ?? {}).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** Whether a value was stored with `--secret`, or contains a part that was. */
export function isSecret(value: string): boolean {
  return value.includes('{"secure":');
}

/**
 * Configuration of the running stack. Pulumi passes secrets in plain text, and lists their keys.
 * This function replaces each secret by a placeholder, so that no message can print one.
 */
export function runtimeConfig(): Config {
  const secretKeys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]");
  const secrets = (Array.isArray(secretKeys) ? secretKeys : []).map((key: unknown) => [
    String(key),
    JSON.stringify({ secure: "" }),
  ]);
  return { ...pulumi.runtime.allConfig(), ...(Object.fromEntries(secrets) as Config) };
}
