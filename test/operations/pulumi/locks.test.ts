import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockDirectory, takeOverDeadLock } from "../../../operations/pulumi/locks";

describe("the locks of a stack", () => {
  it("are looked for where the state is in files", () => {
    const expected = "/tmp/state/.pulumi/locks/organization/services-orders/review-a";
    assert.equal(lockDirectory("review-a", "file:///tmp/state"), expected);
    assert.equal(lockDirectory("review-a", "file:///tmp/state?no_tmp_dir=true"), expected);
  });

  it("are nobody's to judge elsewhere", () => {
    for (const url of [undefined, "s3://bucket", "file://~", "https://api.pulumi.com"]) {
      assert.equal(lockDirectory("review-a", url), undefined);
    }
  });

  it("of who lives stay, and what it has begun is left to it", async () => {
    const directory = mkdtempSync(join(tmpdir(), "services-orders-locks-"));
    const log = mock.method(console, "log", () => undefined);
    try {
      const backend = `file://${directory}`;
      const locks = lockDirectory("review-a", backend) ?? "";
      mkdirSync(locks, { recursive: true });
      const lock = join(locks, "a.json");
      writeFileSync(lock, JSON.stringify({ hostname: "another-machine", pid: 7 }));
      // The first refresh finds the lock; after it the other update has come to its end.
      const script = `#!/bin/sh
echo "$*" >> "${directory}/calls"
case "$*" in
  *refresh*) touch "${directory}/ended"; echo "error: the stack is currently locked by 1 lock(s)" >&2; exit 255 ;;
esac
if [ -e "${directory}/ended" ]; then echo '{"deployment":{}}'; else echo '{"deployment":{"pending_operations":[{}]}}'; fi
`;
      writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
      const env = {
        PATH: `${directory}:${process.env["PATH"] ?? ""}`,
        PULUMI_BACKEND_URL: backend,
      };
      await takeOverDeadLock("review-a", { cwd: directory, env, lockWait: { pauseMs: 5 } });
      assert.match(readFileSync(lock, "utf8"), /another-machine/);
      const calls = readFileSync(join(directory, "calls"), "utf8");
      assert.equal(calls.match(/refresh/g)?.length, 1);
      assert.equal(log.mock.callCount(), 1);
    } finally {
      log.mock.restore();
      rmSync(directory, { recursive: true });
    }
  });
});
