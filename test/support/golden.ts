import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Manifest, Recorder } from "./mocks";

/** What was made, as YAML: one document for each object, in an order that never changes. */
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
 * Compares what a component made with the manifest that people read in review.
 * `UPDATE_GOLDEN=1` writes it anew; the difference is then reviewed like code.
 */
export function matchesGolden(name: string, recorder: Recorder): void {
  const text = rendered(recorder);
  const file = join(__dirname, "..", "golden", `${name}.yaml`);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  assert.ok(existsSync(file), `no ${file}: run with UPDATE_GOLDEN=1`);
  assert.equal(
    text,
    readFileSync(file, "utf8"),
    "run with UPDATE_GOLDEN=1 and read the difference",
  );
}

/** A copy without YAML aliases. It has names for random values, and objects for JSON in a text. */
function stable(inputs: Manifest): unknown {
  const copy: Manifest = JSON.parse(JSON.stringify(inputs));
  for (const key of Object.keys(copy)) {
    const value = copy[key];
    if (typeof value === "string" && value.startsWith("{")) copy[key] = JSON.parse(value);
  }
  if (copy.kind === "Secret") copy.data = "(secret)";
  return copy as unknown;
}
