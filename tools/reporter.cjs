// A reporter for Mocha. The reporter prints Mocha's "spec" report, and writes a summary of the
// results into a file. `npm test` adds up these summaries.
const { writeFileSync } = require("node:fs");
const { basename } = require("node:path");
const { reporters } = require("mocha");

/**
 * Returns the beginning and the end of an error message. The message of a failed command ends with
 * the command's output, and the cause is at the end of the output.
 */
function excerpt(message) {
  const lines = message.trim().split("\n");
  const short = lines.length <= 12 ? lines : [...lines.slice(0, 3), "...", ...lines.slice(-8)];
  return short.join("\n    ");
}

module.exports = class Summary extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const broken = [];
    const seconds = {};
    let started = Date.now();
    runner.on("fail", (test, error) => {
      const title = test.titlePath().join(", ");
      broken.push(`${title}: ${excerpt(String(error?.message))}`);
    });
    // If Mocha runs test files in parallel, a suite has no `file`, so the summary contains no
    // durations.
    runner.on("suite end", ({ file, parent }) => {
      if (file === undefined || parent?.root !== true) return;
      const name = basename(file, ".test.ts");
      seconds[name] = (seconds[name] ?? 0) + (Date.now() - started) / 1000;
      started = Date.now();
    });
    runner.once("end", () => {
      const { passes, failures, pending } = runner.stats;
      writeFileSync(
        options.reporterOptions.output,
        JSON.stringify({ broken, failed: failures, passed: passes, seconds, skipped: pending }),
      );
    });
  }
};
