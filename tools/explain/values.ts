import { secret } from "../../components/conventions/secrets/masked";
import { isSecretName } from "../../components/conventions/secrets/secret-texts";
import { readable } from "../../operations/preview/changes/differences";
import type { Json } from "../../operations/pulumi/events";
import { withPlaceholders } from "../render/manifests";

/**
 * Replaces secrets, and the digest of an image that does not exist yet, with the placeholders of
 * `npm run render`.
 */
export function safe(name: string, value: Json): Json {
  const shown = readable(value);
  if (isSecretName(name) && typeof shown === "string") return secret;
  return withPlaceholders(shown);
}
