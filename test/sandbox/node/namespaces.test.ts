import "../support/temporary";
import assert from "node:assert/strict";
import { UserError } from "../../../lib/errors";
import { untilGone } from "../../../sandbox/node/namespaces";
import { signal } from "../../../sandbox/node/processes";

describe("what is left of a sandbox that was stopped", () => {
  it("is waited for until it is gone", async () => {
    let looks = 0;
    await untilGone("process 1", () => {
      looks += 1;
      // The kernel reports EBUSY while processes of a cgroup are ending.
      if (looks === 1) throw new Error("EBUSY");
      return looks === 3;
    });
    assert.equal(looks, 3);
  });

  const cases: Record<string, () => boolean> = {
    "is there": () => false,
    "cannot be removed": () => {
      throw new Error("EBUSY");
    },
  };
  for (const [how, isGone] of Object.entries(cases)) {
    it(`is named with what to do, when it still ${how} in the end`, async () => {
      await assert.rejects(untilGone("network interface orders-sandbox", isGone, 10), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(
          error.message,
          /^network interface orders-sandbox of the sandbox still exists after 0\.0s: .*; wait, and run the command again\. /,
        );
        return true;
      });
    });
  }
});

describe("a signal", () => {
  it("is not sent to a process that has already ended", () => {
    // This id is greater than the largest process id of Linux.
    signal(4_194_305, "SIGKILL");
  });

  it("that cannot be sent is an error all the same", () => {
    assert.throws(() => {
      signal(process.pid, "SIGNONE" as NodeJS.Signals);
    }, /SIGNONE/);
  });
});
