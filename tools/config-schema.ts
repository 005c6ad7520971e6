import { toJsonSchema } from "@valibot/to-json-schema";
import { service } from "../config/service";
import type { Setting } from "../settings/setting";
import { table } from "../settings/table";

/** File in docs/reference that stack files name in their first line. */
export const configSchemaFile = "stack-config.schema.json";

/**
 * JSON Schema of a stack's file, for editors: every setting with its description and allowed
 * values.
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
        // Pulumi's own settings, and those of its providers.
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

/** What a file may have, not what the program gets from it. */
function jsonSchemaOf(schema: Setting["schema"]): object {
  // A function that checks a text cannot be told to an editor: it is told that it is a text.
  const rest: object = toJsonSchema(schema, { errorMode: "ignore", typeMode: "input" });
  // The file as a whole names the version of JSON Schema.
  return Object.fromEntries(Object.entries(rest).filter(([key]) => key !== "$schema"));
}
