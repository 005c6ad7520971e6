import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { service } from "../../config/service";

const root = join(__dirname, "..", "..");
const load = createRequire(__filename);

/** Files that a service of another company can use unchanged, with their comments and examples. */
const reusable = [
  ...["components", "lib", "operations", "pipeline", "policy", "program", "settings"],
  ...["environments.ts", "platform/*.ts"],
];

/**
 * Returns all strings in a value, all numbers of 12 digits in these strings, and all object keys
 * that contain a character other than a letter. An AWS account ID has 12 digits.
 */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value, ...(value.match(/\b[0-9]{12}\b/g) ?? [])];
  if (typeof value !== "object" || value === null) return [];
  const keys = Array.isArray(value) ? [] : Object.keys(value).filter((key) => /[^a-z]/i.test(key));
  return [...keys, ...Object.values(value).flatMap(textsIn)];
}

/**
 * Whether a text can belong only to this company. A simple word, such as the cluster name
 * `staging`, may also mean something else. A platform, such as `linux/amd64`, is a name that Docker
 * defines.
 */
const isRecognizable = (text: string) =>
  text.length > 5 && /[^a-z]/i.test(text) && !text.startsWith("linux/");

/**
 * Returns all texts in config/ that only this company uses, such as the domain, the registry and
 * the networks.
 */
function companyValues(): readonly string[] {
  const modules = readdirSync(join(root, "config")).map((file) => load(join(root, "config", file)));
  return [...new Set(modules.flatMap(textsIn).filter(isRecognizable))];
}

describe("the rooms that a second service can use", () => {
  it("contain neither the name of the service nor a value of the company", () => {
    const values = companyValues();
    assert.ok(values.includes(service), "config/ was not read");
    const files = execFileSync("git", ["ls-files", ...reusable], { cwd: root, encoding: "utf8" });
    const found = files
      .trim()
      .split("\n")
      .flatMap((file) => {
        const text = readFileSync(join(root, file), "utf8");
        return values
          .filter((value) => text.includes(value))
          .map((value) => `${file} contains "${value}": import it from config/, or make it an arg`);
      });
    assert.deepEqual(found, []);
  });
});
