// Mocha's own "spec" report for people, and the counts in a file for `npm test`, which adds up all suites.
const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class Counting extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = runner.stats;
      writeFileSync(
        options.reporterOptions.output,
        JSON.stringify({ passed: passes, failed: failures, skipped: pending }),
      );
    });
  }
};
