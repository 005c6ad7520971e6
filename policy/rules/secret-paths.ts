import { Secret } from "@pulumi/policy";

/**
 * Returns the paths of the inputs that are Pulumi secrets.
 *
 * The policy SDK marks secret inputs with the class `Secret`. A validation gets the inputs without
 * these marks. A remediation gets the inputs through a proxy. If code reads the value of a
 * property, the proxy removes the mark. If code reads the descriptor of a property, the mark stays.
 * So this function reads the descriptors.
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
