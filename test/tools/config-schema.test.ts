import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { table } from "../../settings/table";
import { project } from "../../lib/project";
import { configSchema, configSchemaFile } from "../../tools/config-schema";

interface Read {
  readonly properties: {
    readonly config: {
      readonly additionalProperties: boolean;
      readonly patternProperties: Readonly<Record<string, unknown>>;
      readonly properties: Readonly<Record<string, { readonly description: string }>>;
    };
  };
}

describe("the editor's schema of a stack settings file", () => {
  const { config } = (JSON.parse(configSchema()) as Read).properties;

  it("knows every setting with a description, and no other of ours", () => {
    const keys = Object.keys(table).map((key) => `services-orders:${key}`);
    assert.deepEqual(Object.keys(config.properties), keys);
    assert.equal(config.additionalProperties, false);
    const [others = ""] = Object.keys(config.patternProperties);
    assert.match("aws:region", new RegExp(others));
    assert.doesNotMatch("services-orders:replcas", new RegExp(others));
    for (const { description } of Object.values(config.properties))
      assert.notEqual(description, "");
  });

  for (const stack of ["prod", "staging"]) {
    it(`is named by ${stack}'s file, and knows each of its keys`, () => {
      const text = readFileSync(join(project, `Pulumi.${stack}.yaml`), "utf8");
      assert.ok(
        text.includes(`yaml-language-server: $schema=./docs/reference/${configSchemaFile}`),
      );
      const file = parse(text) as { config: object };
      for (const key of Object.keys(file.config)) assert.ok(key in config.properties, key);
    });
  }
});
