import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { join } from "node:path";
import { unlock } from "../../../operations/locks/unlock";
import { Programs } from "../support/programs";

const ada = {
  hostname: "laptop-7",
  pid: 4711,
  timestamp: "2026-11-24T14:02:11.5Z",
  username: "ada",
};
const another = { ...ada, pid: 4712, username: "grace" };

describe("npm run unlock", () => {
  let programs: Programs;
  let locks: string;
  let said: string[];

  beforeEach(() => {
    programs = new Programs();
    programs.add("pulumi", { "*stack ls*": `echo '[{"name":"staging"}]'` });
    said = [];
    mock.method(console, "log", (line: string) => said.push(line));
  });
  afterEach(() => {
    mock.restoreAll();
    programs.remove();
  });

  const lock = (file: string, owner: object = ada): void => {
    mkdirSync(locks, { recursive: true });
    writeFileSync(join(locks, file), JSON.stringify(owner));
  };
  const left = (): readonly string[] => (existsSync(locks) ? readdirSync(locks) : []);

  describe("with state in files", () => {
    const run = async (stack = "staging", yes = true): Promise<void> =>
      unlock(
        stack,
        { yes },
        programs.workspace({ PULUMI_BACKEND_URL: `file://${programs.directory}?a=b` }),
      );

    beforeEach(() => {
      locks = join(programs.directory, ".pulumi/locks/organization/services-orders/staging");
    });

    it("shows the owner, removes the lock, and says what to do next", async () => {
      lock("a.json");
      await run();
      assert.deepEqual(left(), []);
      assert.deepEqual(said, [
        "Stack staging is locked by ada on laptop-7, process 4711, since 2026-11-24 14:02 UTC",
        "Make sure that this process has ended: unlock does not stop it.",
        "Stack staging is not locked any more. Its objects have not changed.",
        "npm run deploy -- staging first makes the state agree with the cluster.",
      ]);
    });

    it("asks first: without an answer it removes nothing", async () => {
      lock("a.json");
      await assert.rejects(run("staging", false), /Pass --yes.*Nothing was changed/);
      assert.deepEqual(left(), ["a.json"]);
      assert.match(said[0] ?? "", /locked by ada/);
    });

    it("as a preview writes who holds the lock into a file, and keeps the lock", async () => {
      lock("a.json");
      const preview = join(programs.directory, "reports", "preview.json");
      const PULUMI_BACKEND_URL = `file://${programs.directory}`;
      await unlock("staging", { preview }, programs.workspace({ PULUMI_BACKEND_URL }));
      assert.deepEqual(left(), ["a.json"]);
      assert.deepEqual(JSON.parse(readFileSync(preview, "utf8")), {
        headline: "is locked by ada on laptop-7, process 4711, since 2026-11-24 14:02 UTC",
        stack: "staging",
        subjects: ["a.json"],
      });
    });

    it("removes the lock that was approved, and no other one", async () => {
      lock("a.json");
      const file = join(programs.directory, "preview.json");
      const workspace = programs.workspace({ PULUMI_BACKEND_URL: `file://${programs.directory}` });
      await unlock("staging", { preview: file }, workspace);
      lock("b.json", another);
      await assert.rejects(
        unlock("staging", { approved: file, yes: true }, workspace),
        /^Error: This is not what was approved: .* grace on .*Nothing was changed\.$/,
      );
      assert.deepEqual(left(), ["a.json", "b.json"]);
      rmSync(join(locks, "b.json"));
      await unlock("staging", { approved: file, yes: true }, workspace);
      assert.deepEqual(left(), []);
    });

    it("as a preview of a stack that is not locked says so", async () => {
      const preview = join(programs.directory, "preview.json");
      const PULUMI_BACKEND_URL = `file://${programs.directory}`;
      await unlock("staging", { preview }, programs.workspace({ PULUMI_BACKEND_URL }));
      const { headline } = JSON.parse(readFileSync(preview, "utf8")) as { headline: string };
      assert.equal(headline, "is not locked: nothing to do");
    });

    it("says that a stack is not locked", async () => {
      await run();
      assert.deepEqual(said, ["Stack staging is not locked: nothing to do."]);
    });

    it("refuses a stack that no state can have, and one that this state does not have", async () => {
      await assert.rejects(run("stagin"), /^Error: Unknown stack "stagin". Expected one of: .*$/);
      await assert.rejects(
        run("prod"),
        /^Error: Stack "prod" does not exist in this state backend.*$/,
      );
    });

    it("removes the lock of a stack that is gone, which a killed removal has left", async () => {
      locks = join(programs.directory, ".pulumi/locks/organization/services-orders/review-a");
      lock("a.json");
      await run("review-a");
      assert.deepEqual(left(), []);
    });
  });

  it("refuses a state that is neither in files nor in S3", async () => {
    const elsewhere = programs.workspace({ PULUMI_BACKEND_URL: "gs://bucket" });
    await assert.rejects(
      unlock("staging", {}, elsewhere),
      /got "gs:\/\/bucket".*Nothing was changed/,
    );
  });

  describe("with state in S3", () => {
    const run = async (): Promise<void> =>
      unlock("staging", { yes: true }, programs.workspace({ LOCKS: locks }));
    const removal = `while [ $# -gt 0 ]; do if [ "$1" = --include ]; then rm "$LOCKS/$2"; fi; shift; done`;

    beforeEach(() => {
      locks = join(programs.directory, "locks");
      mkdirSync(locks);
      programs.add("aws", {
        "s3 cp s3://state.example/.pulumi/locks/organization/services-orders/staging/*": `cp -R "${locks}/." "$4"`,
        "s3 rm *": removal,
      });
    });

    it("removes every lock that it has shown", async () => {
      lock("a.json");
      lock("b.json", another);
      await run();
      assert.deepEqual(left(), []);
      assert.match(said[1] ?? "", /locked by grace on laptop-7, process 4712/);
      assert.match(said.at(-2) ?? "", /not locked any more/);
    });

    it("leaves a lock that has appeared in the meantime, and says so", async () => {
      lock("a.json");
      const shown = `cp -R "${locks}/." "$4"`;
      // The new lock appears after the command has read the locks for the first time.
      const appears = `${shown}; echo '${JSON.stringify(another)}' > "${locks}/b.json"`;
      programs.add("aws", {
        "s3 cp *": [appears, shown],
        "s3 rm *": removal,
      });
      await run();
      assert.deepEqual(left(), ["b.json"]);
      assert.match(
        said.at(-1) ?? "",
        /^Another lock has appeared in the meantime, and stays: grace on/,
      );
    });

    it("says in one line why it cannot read or remove a lock", async () => {
      lock("a.json");
      const denied = "echo 'fatal error: (AccessDenied) no rights.' >&2; exit 1";
      programs.add("aws", { "s3 cp *": `cp -R "${locks}/." "$4"`, "s3 rm *": denied });
      const rights = /^Error: The lock of stack "staging" cannot be removed: .*AccessDenied.*$/;
      await assert.rejects(run(), rights);
      rmSync(join(programs.directory, "aws"));
      programs.add("aws", { "s3 cp *": denied });
      await assert.rejects(
        run(),
        /^Error: The locks of stack "staging" cannot be read: .*permissions.*$/,
      );
    });
  });
});
