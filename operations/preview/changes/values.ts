import { createHash } from "node:crypto";
import { isSecretName, secretParts } from "../../../components/conventions/secrets/secret-texts";
import type { Change } from "./changes";
import { secret } from "./differences";
import type { Json } from "../../pulumi/events";

/** Longest value that is shown. */
const shown = 60;

/** Whether a value is confidential: content of Secrets, and variables whose name says so. */
export function isSensitive(kind: string, path: string): boolean {
  if (kind === "Secret" && /^(?:data|stringData)\b/.test(path)) return true;
  const name = /\benv\[name=([^\]]*)\](?:\.value)?$/.exec(path)?.[1];
  const key = kind === "ConfigMap" ? /^(?:data|binaryData)\W+(.*?)\W*$/.exec(path)?.[1] : undefined;
  return isSecretName(name ?? key ?? "");
}

/** The beginning of a text, within a limit. */
export function cut(text: string, limit = shown): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

/** A value for people: an image as the start of its digest, a variable as its value. */
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

/** A value for the plan, to store and to compare. Secret and long values become a hash. */
export function redactForPlan(kind: string, path: string, value: Json | undefined): string {
  if (value === undefined) return "";
  const text = JSON.stringify(value);
  if (value === secret) return secret;
  // A new container is one value, with its variables in it.
  const secretive =
    isSensitive(kind, path) ||
    variables(value).length > 0 ||
    texts(value).some((one) => secretParts(one).length > 0);
  if (text.length <= 200 && !secretive) return text;
  return `sha256:${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/** Masks the given values in a text: a text that is sent may quote more than intended. */
export function masked(text: string, secrets: Iterable<string>): string {
  // The longest first: one may be a part of another.
  return [...new Set(secrets)]
    .filter((value) => value.length >= 6)
    .sort((a, b) => b.length - a.length)
    .reduce((rest, value) => rest.replaceAll(value, secret), text);
}

/** Secrets in this process' environment, recognized by the names of their variables. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && isSecretName(name) ? [value] : [],
  );
}

/** Texts in a value, except the names of variables. */
function texts(value: Json | undefined): readonly string[] {
  if (typeof value === "string") return value === secret ? [] : [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => (key === "name" ? [] : texts(one)));
}

/** Values of all variables below whose name says that they are secret. */
function variables(value: Json | undefined): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const { name, value: own } = value as Readonly<Record<string, Json>>;
  const found = typeof name === "string" && isSecretName(name) ? texts(own) : [];
  return [...found, ...Object.values(value).flatMap((one) => variables(one))];
}

/** Confidential values, which are masked wherever they are quoted. */
export function sensitiveValues(changes: readonly Change[]): readonly string[] {
  return changes.flatMap(({ fields, inputs, kind }) => [
    ...fields
      .filter(({ path }) => isSensitive(kind, path))
      .flatMap(({ after, before }) => [...texts(before), ...texts(after)]),
    ...variables(inputs),
    // By their form, in any field: an address with a password, a token in a file.
    ...[...texts(inputs), ...fields.flatMap(({ before }) => texts(before))].flatMap(secretParts),
  ]);
}
