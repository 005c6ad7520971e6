import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpuOfEndedChildren } from "../../lib/processes";

describe("the CPU time of ended children", () => {
  it("contains that of a child which has just ended", function () {
    const before = cpuOfEndedChildren();
    // macOS has no /proc.
    if (before === undefined) return this.skip();
    const code = "while (process.cpuUsage().user < 300_000);";
    execFileSync(process.execPath, ["--eval", code]);
    assert.ok((cpuOfEndedChildren() ?? 0) - before >= 300);
  });
});
