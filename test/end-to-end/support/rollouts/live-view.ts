import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const directory = join(import.meta.dirname, "..", "..", "..", "golden");

/**
 * Matches the end of a line about a rollout without changes: the time since the last change, and
 * the state of the first pod that is not ready.
 */
const quiet = /, for \d+ s of at most \d+ s\b.*$/;
/** Matches the end of a line about progress: the time since the start of the rollout. */
const elapsed = / \(\d+ s of at most \d+ s\)$/;

/**
 * Returns the lines that the program prints while it waits for the Deployment. If the program
 * prints a line several times, the list contains this line only once.
 */
function linesOf(output: string): readonly string[] {
  const lines = output.split("\n").flatMap((line) => {
    const [, said = ""] =
      /kubernetes:apps\/v1:Deployment services-orders .*\]; (.*)$/.exec(line) ?? [];
    // Skips messages of the provider, such as `Found {...}`.
    return /\bpods?\b|^Kubernetes /.test(said)
      ? [said.trim().replace(quiet, ", for TIME").replace(elapsed, "")]
      : [];
  });
  return [...new Set(lines)];
}

/**
 * Compares the output of a rollout in CI with `test/golden/NAME.txt`: the lines must be the same,
 * in the same order. If a line in the file begins with `? `, this line is optional in the output:
 * the program reads the cluster every two seconds, so the program may miss a state that lasts less
 * than two seconds.
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
