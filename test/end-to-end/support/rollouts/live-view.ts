import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const directory = join(import.meta.dirname, "..", "..", "..", "golden");

/**
 * The end of a line: how long nothing has changed, and the state of the first pod that is not
 * ready.
 */
const quiet = /, for \d+ s of at most \d+ s\b.*$/;

/**
 * Returns the lines that the program prints about the Deployment while it waits, each line once.
 */
function linesOf(output: string): readonly string[] {
  const lines = output.split("\n").flatMap((line) => {
    const [, said = ""] =
      /kubernetes:apps\/v1:Deployment services-orders .*\]; (.*)$/.exec(line) ?? [];
    // Skip messages of the provider, such as `Found {...}`.
    return /\bpods?\b|^Kubernetes /.test(said) ? [said.trim().replace(quiet, ", for TIME")] : [];
  });
  return [...new Set(lines)];
}

/**
 * Compares what CI shows of a rollout with `test/golden/NAME.txt`: the lines must be the same, in
 * the same order. A line of the file that begins with `? ` may be missing. The program looks at the
 * cluster every two seconds, so it may miss a state that is shorter.
 */
export function matchesLiveView(name: string, output: string): void {
  const golden = readFileSync(join(directory, `${name}.txt`), "utf8")
    .trim()
    .split("\n");
  const known = golden.map((line) => line.replace(/^\? /, ""));
  const seen = linesOf(output);
  const expected = golden.filter(
    (line) => !line.startsWith("? ") || seen.includes(line.replace(/^\? /, "")),
  );
  assert.deepEqual(
    seen,
    expected.map((line) => line.replace(/^\? /, "")),
    `${output}\nKnown lines:\n${known.join("\n")}`,
  );
  // Pulumi must not print dots between the lines to show that time passes.
  assert.doesNotMatch(output, /^\.+$|^@ updating\.{2,}$/m);
}
