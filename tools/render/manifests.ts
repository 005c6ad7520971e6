import { stringify } from "yaml";
import { masked, secret } from "../../components/conventions/secrets/masked";
import { readable } from "../../operations/preview/changes/differences";
import { signature } from "../../operations/pulumi/special-values";
import { secretsIn } from "../../operations/preview/changes/values";
import type { Json } from "../../operations/pulumi/events";
import { type Declared, suffix } from "./program";
import { unknownDigest } from "./settings";

/** A Kubernetes object, as a manifest. */
export type Manifest = Readonly<Record<string, Json>>;

/** Placeholder in the output for the digest of an image that does not exist yet. */
const imageDigest = "<digest-of-the-image>";

/**
 * Placeholders in the output for secrets, and for values that exist only after the build or the
 * update. The meaning of each placeholder.
 */
export const placeholders: Readonly<Record<string, string>> = {
  [imageDigest]: "the registry returns the digest when the build pushes the image",
  [secret]: "a secret value, such as a generated password",
  [suffix]: "Pulumi generates the end of this name, and keeps it while the content is the same",
};

/** Whether a resource is a Kubernetes object. */
export const isObject = ({ type }: Declared): boolean => type.startsWith("kubernetes:");

/** Applies a function to each text in a value. */
function mapped(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one: Json) => mapped(one, change));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapped(one, change)]));
}

/** Replaces secrets, and the digest of an image that does not exist yet, with placeholders. */
export function withPlaceholders(value: Json): Json {
  const secrets = secretsIn(value);
  return mapped(value, (text) => masked(text, secrets).replaceAll(unknownDigest, imageDigest));
}

/**
 * Replaces all values in the data of a Secret with a placeholder. The result still contains the
 * keys.
 */
function withoutValues(data: Json): Json {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return secret;
  const { value, ...rest } = data as Manifest;
  // Pulumi's SDK wraps a secret in an object whose property `value` contains the secret data.
  const keys = Object.keys(signature in rest && value !== undefined ? (value as object) : data);
  return Object.fromEntries(keys.map((key) => [key, secret]));
}

/** Returns the manifest of an object, with placeholders for secrets and unknown values. */
export function manifestOf({ inputs, name }: Declared): Manifest {
  const shown = Object.entries(inputs).map(([key, value]): [string, Json] =>
    inputs["kind"] === "Secret" && /^(?:data|stringData)$/.test(key)
      ? [key, withoutValues(value)]
      : [key, readable(value)],
  );
  const safe = withPlaceholders(Object.fromEntries(shown)) as Manifest;
  const metadata = safe["metadata"] as Manifest;
  if ("name" in metadata) return safe;
  return { ...safe, metadata: { ...metadata, name: `${name}-${suffix}` } };
}

/** Returns the objects as YAML: one document for each object, as in the golden manifests. */
export function yamlOf(objects: readonly Declared[]): string {
  return objects
    .map((one) => {
      // The conversion to JSON removes shared objects, so the YAML repeats a value instead of using
      // an alias.
      const manifest: unknown = JSON.parse(JSON.stringify(manifestOf(one)));
      return `# ${one.type} ${one.name}\n${stringify(manifest, { lineWidth: 100 })}`;
    })
    .join("---\n");
}
