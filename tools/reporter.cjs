// A reporter for Mocha. It prints Mocha's "spec" report, and writes a summary into a file.
// `npm test` adds up the summaries of all suites.
const { writeFileSync } = require("node:fs");
const { basename } = require("node:path");
const { reporters } = require("mocha");

module.exports = class Summary extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const broken = [];
    const seconds = {};
    let started = Date.now();
    runner.on("fail", (test, error) => {
      const title = test.titlePath().join(", ");
      broken.push(`${title}: ${String(error?.message).trim().split("\n")[0]}`);
    });
    // If Mocha runs files in parallel, it does not say which file a suite is from.
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
