import { toJsonSchema } from "@valibot/to-json-schema";
import { service } from "../config/service";
import type { Setting } from "../settings/setting";
import { table } from "../settings/table";

/**
 * Name of the schema file in docs/reference. Pulumi.prod.yaml and Pulumi.staging.yaml refer to this
 * file in a comment, so that editors find the schema.
 */
export const configSchemaFile = "stack-config.schema.json";

/**
 * JSON Schema of a stack settings file (`Pulumi.STACK.yaml`), for editors. The schema contains
 * every setting with its description and allowed values.
 */
export function configSchema(): string {
  const settings = Object.entries<Setting>(table).map(([key, { allowed, description, schema }]) => [
    `${service}:${key}`,
    { description: `${description} Allowed: ${allowed}.`, ...jsonSchemaOf(schema) },
  ]);
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: `Configuration of a stack of ${service}`,
    type: "object",
    additionalProperties: false,
    properties: {
      config: {
        type: "object",
        additionalProperties: false,
        // Also allows the keys of other namespaces, such as the namespaces of Pulumi's providers.
        patternProperties: { [`^(?!${service}:)[a-z-]+:`]: {} },
        properties: Object.fromEntries(settings) as object,
      },
      encryptedkey: { description: "Written by Pulumi.", type: "string" },
      encryptionsalt: { description: "Written by Pulumi.", type: "string" },
      secretsprovider: {
        description:
          "What encrypts the secrets in the stack's state, such as awskms://alias/<name>?region=<region>.",
        type: "string",
      },
    },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** JSON Schema of the values that a stack settings file may have for a setting. */
function jsonSchemaOf(schema: Setting["schema"]): object {
  // The conversion ignores functions that check a text, because JSON Schema cannot contain
  // functions. For a setting with such a function, the schema allows any text.
  const rest: object = toJsonSchema(schema, { errorMode: "ignore", typeMode: "input" });
  // The schema of the whole file already names the version of JSON Schema.
  return Object.fromEntries(Object.entries(rest).filter(([key]) => key !== "$schema"));
}
