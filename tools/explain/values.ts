import { masked, secret } from "../../components/conventions/secrets/masked";
import { isSecretName } from "../../components/conventions/secrets/secret-texts";
import { readable } from "../../operations/preview/changes/differences";
import { secretsIn } from "../../operations/preview/changes/values";
import type { Json } from "../../operations/pulumi/events";
import { imageDigest } from "../render/manifests";
import { unknownDigest } from "../render/settings";

/** Replaces secrets and the unknown digest in a value by the placeholders of `npm run render`. */
export function safe(name: string, value: Json): Json {
  const shown = readable(value);
  if (isSecretName(name) && typeof shown === "string") return secret;
  const text = masked(JSON.stringify(shown), secretsIn(shown));
  return JSON.parse(text.replaceAll(unknownDigest, imageDigest)) as Json;
}
