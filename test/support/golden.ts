import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Manifest, Recorder } from "./mocks";

/** Returns the recorded objects as YAML, one document for each object, always in the same order. */
export function rendered(recorder: Recorder): string {
  return recorder
    .custom()
    .filter(({ type }) => !type.startsWith("pulumi:"))
    .map(({ inputs, name, type }) => ({ inputs: stable(inputs), key: `${type} ${name}` }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ inputs, key }) => `# ${key}\n${stringify(inputs, { lineWidth: 100 })}`)
    .join("---\n");
}

/**
 * Compares the recorded objects with a golden manifest, which people read when they review a
 * change.
 */
export function matchesGolden(name: string, recorder: Recorder): void {
  textMatchesGolden(`${name}.yaml`, rendered(recorder));
}

/**
 * Compares a text with a golden file. With `UPDATE_GOLDEN=1`, this function first writes the text
 * to the file. Review the changes to the file like code.
 */
export function textMatchesGolden(name: string, text: string): void {
  const file = join(__dirname, "..", "golden", name);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  assert.ok(existsSync(file), `no ${file}: run with UPDATE_GOLDEN=1`);
  assert.equal(
    text,
    readFileSync(file, "utf8"),
    "run with UPDATE_GOLDEN=1 and read the difference",
  );
}

/**
 * Returns a copy without shared objects, so that the YAML has no aliases. Replaces the data of a
 * Secret with a fixed text. If an input is a JSON object in a text, replaces the text with the
 * object.
 */
function stable(inputs: Manifest): unknown {
  const copy: Manifest = JSON.parse(JSON.stringify(inputs));
  for (const key of Object.keys(copy)) {
    const value = copy[key];
    if (typeof value === "string" && value.startsWith("{")) copy[key] = JSON.parse(value);
  }
  if (copy.kind === "Secret") copy.data = "(secret)";
  return copy as unknown;
}
