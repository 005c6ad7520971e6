import { isSecretName, secretParts } from "../../components/conventions/secrets/secret-texts";
import { traitsOf } from "../../environments";
import { type Declared, at, elements } from "./declared";
import { containers } from "./pods";
import type { Broken, Rule } from "./rule";

const todo =
  "keep the value in the cluster, and name its Secret and key (env: { NAME: { secretName, key } })";

/** Text that messages show instead of the secret value. */
const hidden = "a value";

function ofSecretObject({ kind, props }: Declared): readonly Broken[] {
  if (kind !== "Secret") return [];
  return ["data", "stringData"].flatMap((key) => {
    const value = at(props, key);
    return value === undefined ||
      (typeof value === "object" && Object.keys(value ?? {}).length === 0)
      ? []
      : [{ got: hidden, must: "not be set", path: key, todo }];
  });
}

function ofVariables(object: Declared): readonly Broken[] {
  return containers(object)
    .flatMap(({ path, value }) => elements(value, path, "env"))
    .filter(({ value }) => isSecret(String(at(value, "name")), at(value, "value")))
    .map(({ path, value }) => ({
      got: hidden,
      must: `not hold the value of ${String(at(value, "name"))}`,
      path: `${path}.value`,
      todo,
    }));
}

function ofFiles({ kind, props, secretPaths }: Declared): readonly Broken[] {
  const data = kind === "ConfigMap" ? at(props, "data") : undefined;
  return Object.entries((data ?? {}) as Readonly<Record<string, unknown>>)
    .filter(([name, value]) => isSecret(name, value))
    .map(([name]) => ({ got: hidden, must: "not hold a secret", path: `data.${name}`, todo }))
    .filter(({ path }) => !secretPaths.includes(path));
}

const isSecret = (name: string, value: unknown): boolean =>
  typeof value === "string" &&
  value !== "" &&
  (isSecretName(name) || secretParts(value).length > 0);

/**
 * Everyone who can run a preview of staging or production can read the state and the configuration
 * of that stack. So neither the state nor the configuration may contain the value of a secret.
 */
export const noSecretValues: Rule = {
  name: "no-secret-values",
  description: "No object of staging or production contains the value of a secret",
  check(object) {
    if (traitsOf(object.stack)?.data !== "given") return [];
    const found = [...ofSecretObject(object), ...ofVariables(object), ...ofFiles(object)];
    const named = new Set(found.map(({ path }) => path));
    return [
      ...found,
      ...object.secretPaths
        .filter((path) => !named.has(path))
        .map((path) => ({ got: hidden, must: "not be a Pulumi secret", path, todo })),
    ];
  },
};
