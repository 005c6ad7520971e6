import { Secret } from "@pulumi/policy";

/**
 * Paths of the inputs that are Pulumi secrets.
 *
 * The policy SDK removes the secret marks before a validation sees the inputs. A remediation sees
 * them through a proxy that unwraps each value on reading. The proxy does not unwrap property
 * descriptors, so they show the marks.
 */
export function secretPaths(props: object): readonly string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(props)).flatMap(([key, { value }]) =>
    below(value, key),
  );
}

function below(value: unknown, path: string): readonly string[] {
  if (value instanceof Secret) return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    below(inner, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`),
  );
}
