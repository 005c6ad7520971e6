import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { lockDirectory, removeDeadLocks } from "../../../operations/pulumi/locks";

describe("the locks of a stack", () => {
  it("are looked for where the state is in files", () => {
    const expected = "/tmp/state/.pulumi/locks/organization/services-orders/review-a";
    assert.equal(lockDirectory("review-a", "file:///tmp/state"), expected);
    assert.equal(lockDirectory("review-a", "file:///tmp/state?no_tmp_dir=true"), expected);
  });

  it("are not looked for when the state is not in files", () => {
    for (const url of [undefined, "s3://bucket", "file://~", "https://api.pulumi.com"]) {
      assert.equal(lockDirectory("review-a", url), undefined);
    }
  });

  it("go where their owner was killed on this machine, and stay where it lives or is elsewhere", () => {
    const directory = mkdtempSync(join(tmpdir(), "services-orders-locks-"));
    const log = mock.method(console, "log", () => undefined);
    try {
      const backend = `file://${directory}`;
      const locks = lockDirectory("review-a", backend) ?? "";
      const engine = { cwd: directory, env: { PULUMI_BACKEND_URL: backend } };
      removeDeadLocks("review-a", engine);
      mkdirSync(locks, { recursive: true });
      // No process has this number: it is above the most that Linux gives.
      const pid = 4_194_305;
      const owners = {
        dead: { hostname: hostname(), pid },
        elsewhere: { hostname: "another-machine", pid },
        lives: { hostname: hostname(), pid: process.pid },
      };
      for (const [name, owner] of Object.entries(owners)) {
        writeFileSync(join(locks, `${name}.json`), JSON.stringify(owner));
      }
      removeDeadLocks("review-a", engine);
      assert.deepEqual(readdirSync(locks).sort(), ["elsewhere.json", "lives.json"]);
      assert.equal(log.mock.callCount(), 1);
    } finally {
      log.mock.restore();
      rmSync(directory, { recursive: true });
    }
  });
});
