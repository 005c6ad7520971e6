import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(__dirname, "..", "..");
const mostSideBySide = 15;
const mostAtRoot = 4;
const mostLinesOfProgram = 80;

/**
 * Returns the source files by folder: the files that git tracks, and new files that git does not
 * ignore.
 */
function folders(): ReadonlyMap<string, readonly string[]> {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.mjs", "*.cjs"];
  const files = execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim().split("\n");
  const found = new Map<string, string[]>();
  for (const file of files) {
    found.set(dirname(file), [...(found.get(dirname(file)) ?? []), file]);
  }
  return found;
}

describe("the rooms of the repository", () => {
  it(`have at most ${String(mostSideBySide)} source files side by side in a folder`, () => {
    const crowded = [...folders()].filter(([, files]) => files.length > mostSideBySide);
    assert.deepEqual(crowded, []);
  });

  it(`leave at most ${String(mostAtRoot)} source files at the root`, () => {
    const files = folders().get(".") ?? [];
    assert.ok(files.includes("index.ts"));
    assert.ok(files.length <= mostAtRoot, files.join(", "));
  });

  it(`have a program of at most ${String(mostLinesOfProgram)} lines, a table of contents`, () => {
    const lines = readFileSync(join(root, "index.ts"), "utf8").trimEnd().split("\n").length;
    assert.ok(lines <= mostLinesOfProgram, `index.ts has ${String(lines)} lines`);
  });
});
