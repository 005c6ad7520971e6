import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Reports } from "../../lib/reports";

describe("the reports of a command", () => {
  let directory: string;
  let reports: Reports;
  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), "services-orders-reports-")), "reports");
    reports = new Reports(directory, join(directory, "../test-results"));
  });
  afterEach(() => {
    rmSync(join(directory, ".."), { force: true, recursive: true });
  });
  const cause = () => readFileSync(join(directory, "cause.txt"), "utf8");

  it("name the image that is scanned next", () => {
    reports.leaveImage("a@sha256:1");
    assert.deepEqual(JSON.parse(readFileSync(join(directory, "image.json"), "utf8")), {
      imageRef: "a@sha256:1",
    });
  });

  it("say why it failed, and what was found on the way", async () => {
    const failing = reports.leavingCause("npm run deploy -- staging", () => {
      reports.addCause("pod web-1: OOMKilled");
      reports.addDetail("Last lines of web-1:\n  no memory");
      return Promise.reject(new Error("pulumi up failed"));
    });
    await assert.rejects(failing, /pulumi up failed/);
    const details = "Last lines of web-1:\n  no memory\n";
    assert.equal(cause(), `pod web-1: OOMKilled\npulumi up failed\n\n${details}`);
  });

  it("forget why an earlier one failed", async () => {
    await assert.rejects(
      reports.leavingCause("npm run image", () => Promise.reject(new Error("once"))),
    );
    await reports.leavingCause("npm run image", () => Promise.resolve());
    assert.equal(existsSync(join(directory, "cause.txt")), false);
  });

  describe("as a test for a CI service", () => {
    const test = () => readFileSync(join(directory, "../test-results/command.xml"), "utf8");

    it("name the command, its causes and what explains them, in valid XML", async () => {
      const failing = reports.leavingCause('npm run deploy -- "a & b"', () => {
        reports.addCause("Pod web-1: <unknown> \u001b[31mred\u001b[0m\u0007\nsecond line");
        reports.addDetail("Last lines of web-1:\n  no && yes");
        return Promise.reject(new Error("pulumi up failed"));
      });
      await assert.rejects(failing);
      const text = test().replaceAll(/time="[\d.]+"/g, 'time="1.0"');
      assert.equal(
        text,
        `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="1" failures="1" time="1.0">
  <testsuite name="commands" tests="1" failures="1" time="1.0">
    <testcase classname="commands" name="npm run deploy -- &quot;a &amp; b&quot;" time="1.0">
      <failure message="Pod web-1: &lt;unknown&gt; red">Pod web-1: &lt;unknown&gt; red
second line

pulumi up failed

Last lines of web-1:
  no &amp;&amp; yes</failure>
    </testcase>
  </testsuite>
</testsuites>
`,
      );
    });

    it("pass if it did not fail, also after one that did", async () => {
      await assert.rejects(
        reports.leavingCause("npm run up", () => Promise.reject(new Error("no"))),
      );
      await reports.leavingCause("npm run up", () => Promise.resolve());
      assert.match(test(), /failures="0"/);
      assert.doesNotMatch(test(), /<failure/);
    });
  });
});
