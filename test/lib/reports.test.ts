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
    reports = new Reports(directory);
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
    const failing = reports.leavingCause(() => {
      reports.addCause("pod web-1: OOMKilled");
      return Promise.reject(new Error("pulumi up failed"));
    });
    await assert.rejects(failing, /pulumi up failed/);
    assert.equal(cause(), "pod web-1: OOMKilled\npulumi up failed\n");
  });

  it("forget why an earlier one failed", async () => {
    await assert.rejects(reports.leavingCause(() => Promise.reject(new Error("once"))));
    await reports.leavingCause(() => Promise.resolve());
    assert.equal(existsSync(join(directory, "cause.txt")), false);
  });
});
