import { createHash } from "node:crypto";
import { isSecretName, secretParts } from "../../../components/conventions/secrets/secret-texts";
import { secret } from "../../../components/conventions/secrets/masked";
import type { Change } from "./changes";
import type { Json } from "../../pulumi/events";

/** Longest value that the summary shows, in characters. */
const shown = 60;

/**
 * Whether a field is confidential: the data of a Secret, or an environment variable or a
 * ConfigMap's key whose name is typical of secrets (`isSecretName`).
 */
export function isSensitive(kind: string, path: string): boolean {
  if (kind === "Secret" && /^(?:data|stringData)\b/.test(path)) return true;
  const name = /\benv\[name=([^\]]*)\](?:\.value)?$/.exec(path)?.[1];
  const key = kind === "ConfigMap" ? /^(?:data|binaryData)\W+(.*?)\W*$/.exec(path)?.[1] : undefined;
  return isSecretName(name ?? key ?? "");
}

/** Shortens a text to at most `limit` characters. A shortened text ends with `…`. */
export function cut(text: string, limit = shown): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

/**
 * Returns a value in a readable form: an image with a short digest, an environment variable without
 * its name, and any other value shortened to at most {@link shown} characters.
 */
export function show(value: Json): string {
  if (typeof value === "string") {
    const digest = /^.*\/([^/@]+)@sha256:([0-9a-f]{12})[0-9a-f]{52}$/.exec(value);
    return digest === null ? cut(value) : `${digest[1] ?? ""}@${digest[2] ?? ""}…`;
  }
  if (typeof value !== "object" || value === null) return String(value);
  if (!Array.isArray(value)) {
    const { name, value: own, valueFrom } = value as Readonly<Record<string, Json>>;
    if (typeof name === "string" && typeof own === "string") return cut(own);
    if (typeof name === "string" && valueFrom !== undefined) return cut(JSON.stringify(valueFrom));
  }
  return cut(JSON.stringify(value));
}

/**
 * Returns a value in the form that a plan stores and compares. A long value and a value that may
 * contain a secret become a hash. If the value is the text that replaces a secret, returns this
 * text.
 */
export function redactForPlan(kind: string, path: string, value: Json | undefined): string {
  if (value === undefined) return "";
  const text = JSON.stringify(value);
  if (value === secret) return secret;
  const secretive = isSensitive(kind, path) || secretsIn(value).length > 0;
  if (text.length <= 200 && !secretive) return text;
  return `sha256:${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/**
 * Returns the values of the environment variables whose name is typical of secrets
 * (`isSecretName`).
 */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && isSecretName(name) ? [value] : [],
  );
}

/** All texts in a value, except those in a field `name`. */
function texts(value: Json | undefined): readonly string[] {
  if (typeof value === "string") return value === secret ? [] : [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => (key === "name" ? [] : texts(one)));
}

/** Returns the values of all environment variables in `value` whose name is typical of secrets. */
function variables(value: Json | undefined): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const { name, value: own } = value as Readonly<Record<string, Json>>;
  const found = typeof name === "string" && isSecretName(name) ? texts(own) : [];
  return [...found, ...Object.values(value).flatMap((one) => variables(one))];
}

/**
 * Returns the secrets in a value: secrets in a known form in any text, and the values of
 * environment variables whose name is typical of secrets. The value may be a whole container or a
 * list of variables.
 */
export function secretsIn(value: Json | undefined): readonly string[] {
  return [...variables(value), ...texts(value).flatMap(secretParts)];
}

/**
 * Returns the confidential values in the changes. The caller must mask these values in every text
 * that the caller shows.
 */
export function sensitiveValues(changes: readonly Change[]): readonly string[] {
  return changes.flatMap(({ fields, inputs, kind }) => [
    ...fields
      .filter(({ path }) => isSensitive(kind, path))
      .flatMap(({ after, before }) => [...texts(before), ...texts(after)]),
    // Text in any field may contain a secret in a known form: an address with a password, or a
    // token.
    ...[inputs, ...fields.map(({ before }) => before)].flatMap(secretsIn),
  ]);
}
