import { sandboxDirectory } from "./support/temporary";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { UserError } from "../../lib/errors";
import { startTime } from "../../lib/processes";
import { exclusively, preflight } from "../../sandbox/preflight";

const lock = join(sandboxDirectory, "lock");

describe("the check before a start", () => {
  const { getuid, platform } = process;
  afterEach(() => {
    Object.assign(process, { getuid });
    Object.defineProperty(process, "platform", { value: platform });
  });

  it("refuses every user except root, before it makes the sandbox's directory", async () => {
    rmSync(sandboxDirectory, { force: true, recursive: true });
    Object.assign(process, { getuid: () => 1000 });
    await assert.rejects(
      preflight({ ingressPort: 18_080, registryPort: 15_000 }, true),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.match(
          error.message,
          /root must start it; run the command again with sudo, or use a cluster that you have: npm run up -- --context NAME --registry ADDRESS$/,
        );
        return true;
      },
    );
    assert.equal(existsSync(sandboxDirectory), false);
  });

  it("names the way without the sandbox on every system but Linux", async () => {
    Object.defineProperty(process, "platform", { value: "darwin" });
    await assert.rejects(
      preflight({ ingressPort: 18_080, registryPort: 15_000 }, true),
      /^Error: the sandbox needs Linux; use a cluster that you have: npm run up -- --context NAME --registry ADDRESS \(docs\/own-cluster\.md\)$/,
    );
  });
});

describe("the start time of a process", () => {
  it("is the same each time for one that lives", () => {
    assert.match(startTime(process.pid) ?? "", /^\d+$/);
    assert.equal(startTime(process.pid), startTime(process.pid));
  });

  it("is undefined for a process that does not exist", () => {
    // This id is greater than the largest process id of Linux.
    assert.equal(startTime(4_194_305), undefined);
  });
});

describe("work that must not run twice at the same time", () => {
  beforeEach(() => {
    mkdirSync(sandboxDirectory, { recursive: true });
  });
  afterEach(() => {
    rmSync(sandboxDirectory, { force: true, recursive: true });
  });

  it("runs while the lock is held, gives its result, and lets go", async () => {
    const result = await exclusively("test", () => {
      const held = JSON.parse(readFileSync(lock, "utf8")) as Record<string, unknown>;
      assert.deepEqual(held, { pid: process.pid, what: "test" });
      return Promise.resolve("done");
    });
    assert.equal(result, "done");
    assert.equal(existsSync(lock), false);
  });

  it("lets go when it fails, and passes the error on", async () => {
    const broken = new Error("broken");
    await assert.rejects(
      exclusively("test", () => Promise.reject(broken)),
      broken,
    );
    assert.equal(existsSync(lock), false);
  });

  it("is refused while another command is at it, which is named and keeps its lock", async () => {
    await exclusively("sandbox up", async () => {
      let ran = false;
      await assert.rejects(
        exclusively("sandbox down", () => {
          ran = true;
          return Promise.resolve();
        }),
        new UserError(
          `another command is working on the sandbox (sandbox up, process ${String(process.pid)}); ` +
            "wait until that command has ended, then run this command again",
        ),
      );
      assert.equal(ran, false);
      assert.equal(existsSync(lock), true);
    });
  });

  it("is refused while another command does it, no matter which process the lock names", async () => {
    const dead = JSON.stringify({ pid: 4_194_305, what: "sandbox up" });
    writeFileSync(lock, dead);
    await exclusively("sandbox up", async () => {
      for (const seen of [dead, ""]) {
        // The second command may have read the lock file before the first command took over the
        // lock.
        writeFileSync(lock, seen);
        await assert.rejects(
          exclusively("sandbox down", () => Promise.resolve()),
          /^Error: another command is working on the sandbox/,
        );
      }
    });
    assert.equal(existsSync(lock), false);
  });

  it("is done by one command at a time, also when many take over from a killed command together", async () => {
    writeFileSync(lock, JSON.stringify({ pid: 4_194_305, what: "sandbox up" }));
    const inside = join(sandboxDirectory, "inside");
    // If two processes hold the lock at the same time, `mkdirSync` fails in the second process.
    const code = `
      import { mkdirSync, rmdirSync } from "node:fs";
      import { setTimeout as sleep } from "node:timers/promises";
      import { exclusively } from ${JSON.stringify(new URL("../../sandbox/preflight.ts", import.meta.url).href)};
      for (let done = 0; done < 20; ) {
        try {
          await exclusively("test", async () => {
            mkdirSync(${JSON.stringify(inside)});
            await sleep(1);
            rmdirSync(${JSON.stringify(inside)});
          });
          done += 1;
        } catch (error) {
          if (!/working on the sandbox/.test(error.message)) throw error;
        }
        await sleep(1);
      }`;
    const run = promisify(execFile);
    const args = ["--import", "tsx", "--input-type=module", "-e", code];
    await Promise.all([1, 2, 3].map(async () => run(process.execPath, args)));
    assert.equal(existsSync(lock), false);
  }).timeout(60_000);

  const leftovers = {
    "of a command that was killed": JSON.stringify({ pid: 4_194_305, what: "sandbox up" }),
    "of a command whose process id another program has now": JSON.stringify({
      pid: process.pid,
      what: "sandbox up",
    }),
    "that was never written to its end": '{"pid":',
  };
  for (const [which, content] of Object.entries(leftovers)) {
    it(`takes over a lock ${which}`, async () => {
      writeFileSync(lock, content);
      assert.equal(await exclusively("test", () => Promise.resolve("done")), "done");
      assert.equal(existsSync(lock), false);
    });
  }
});
