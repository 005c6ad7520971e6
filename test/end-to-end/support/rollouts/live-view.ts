import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const directory = join(import.meta.dirname, "..", "..", "..", "golden");

/** How long nothing has changed, and what the first pod that is not ready does. */
const quiet = /, for \d+ s of at most \d+ s\b.*$/;

/** What the program says about the Deployment while it waits, each line once. */
function linesOf(output: string): readonly string[] {
  const lines = output.split("\n").flatMap((line) => {
    const [, said = ""] =
      /kubernetes:apps\/v1:Deployment services-orders .*\]; (.*)$/.exec(line) ?? [];
    // The provider has texts of the kind `Found {...}`, too.
    return /\bpods?\b|^Kubernetes /.test(said) ? [said.trim().replace(quiet, ", for TIME")] : [];
  });
  return [...new Set(lines)];
}

/**
 * Compares what CI sees of a rollout with `test/golden/NAME.txt`: every line is there, and the
 * lines come in this order. A line that begins with `? ` may be missing, because the program looks
 * at the cluster every two seconds, and a state may be shorter.
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
  // Pulumi's dots for time that passes would stand between the lines.
  assert.doesNotMatch(output, /^\.+$|^@ updating\.{2,}$/m);
}
