import * as pulumi from "@pulumi/pulumi";

/** Configuration of a stack: keys with their namespace, values as text or JSON. */
export type Config = Readonly<Record<string, string>>;

/** Configuration as a stack's file has it, in the form in which Pulumi hands it over. */
export function configOf(file: { readonly config?: unknown } | null): Config {
  return Object.fromEntries(
    Object.entries(file?.config ?? {}).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** Whether a value, or a part of it, was stored with `--secret`. */
export function isSecret(value: string): boolean {
  return value.includes('{"secure":');
}

/**
 * Configuration of the stack that runs. Pulumi hands secrets over in plain text, and lists their
 * keys: here they have the form of a stack's file, so that no message can print one.
 */
export function runtimeConfig(): Config {
  const secretKeys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]");
  const secrets = (Array.isArray(secretKeys) ? secretKeys : []).map((key) => [
    String(key),
    JSON.stringify({ secure: "" }),
  ]);
  return { ...pulumi.runtime.allConfig(), ...Object.fromEntries(secrets) };
}
