import { secretParts } from "./secret-texts";

/** Text that the output shows in place of a secret value. */
export const secret = "[secret]";

/**
 * Masks the given values in a text. The function does not mask values with fewer than 6 characters.
 */
export function masked(text: string, secrets: Iterable<string>): string {
  // The function first masks the longest value, because a short value may be part of a longer
  // value.
  return [...new Set(secrets)]
    .filter((value) => value.length >= 6)
    .sort((a, b) => b.length - a.length)
    .reduce((rest, value) => rest.replaceAll(value, secret), text);
}

/** Masks the secrets in a text. A value is a secret because of its name or because of its form. */
export function withoutSecrets(text: string): string {
  return masked(text, secretParts(text));
}
