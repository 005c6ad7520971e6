import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presenceOf } from "../../../operations/history/command";
import { messageOf, type Update, updatesOf } from "../../../operations/history/updates";
import type { Workspace } from "../../../operations/pulumi/run-pulumi";
import { command } from "../../../lib/command";

const commit = "a".repeat(40);
const imageRef = `registry/orders@sha256:${"b".repeat(64)}`;

describe("the history of a stack", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "history-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /**
   * Makes a stand-in for Pulumi print this history, and returns the updates that the code reads
   * from this history.
   */
  async function read(...recorded: readonly object[]): Promise<readonly Update[]> {
    const script = join(directory, "pulumi");
    writeFileSync(script, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(recorded)}\nEND\n`);
    chmodSync(script, 0o755);
    const env = { PATH: `${directory}:${process.env["PATH"] ?? ""}` };
    return updatesOf("prod", { cwd: directory, env });
  }
  const update = (more: object): object => ({
    environment: { "git.head": commit },
    kind: "update",
    message: "A commit",
    result: "succeeded",
    startTime: "2026-11-24T10:00:00Z",
    ...more,
  });

  it("has what our commands told", async () => {
    const told = { branch: "main", by: "ada@example.com", commit, imageRef, reason: "why: this" };
    const [found] = await read(
      update({
        endTime: "2026-11-24T10:01:00Z",
        environment: { "ci.build.url": "https://ci/1", "git.head": "c" },
        message: messageOf(told),
      }),
    );
    assert.deepEqual(found, {
      ...told,
      ended: new Date("2026-11-24T10:01:00Z"),
      link: "https://ci/1",
      program: "c",
      started: new Date("2026-11-24T10:00:00Z"),
      succeeded: true,
    });
  });

  it("has a release without image and reason", async () => {
    const [found] = await read(
      update({ message: messageOf({ branch: "main", by: "ada", commit }) }),
    );
    assert.equal(found?.commit, commit);
    assert.equal(found.imageRef, undefined);
    assert.equal(found.by, "ada");
    assert.equal(found.reason, undefined);
  });

  it("has updates of plain Pulumi and failed ones, and no refresh", async () => {
    const found = await read(
      update({ message: "Release the kraken", result: "failed" }),
      update({ kind: "refresh" }),
    );
    assert.equal(found.length, 1);
    assert.equal(found[0]?.commit, commit);
    assert.equal(found[0].succeeded, false);
  });

  describe("and a commit", () => {
    let workspace: Workspace;
    const commits: string[] = [];
    before(async () => {
      const cwd = mkdtempSync(join(tmpdir(), "history-git-"));
      workspace = { cwd, env: {} };
      const git = async (...args: string[]): Promise<string> =>
        (await command("git", args, { cwd })).trim();
      await git("init", "--quiet");
      const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
      for (const text of ["one", "two", "three"]) {
        await git(...author, "commit", "--quiet", "--allow-empty", "-m", text);
        commits.push(await git("rev-parse", "HEAD"));
      }
    });
    after(() => {
      rmSync(workspace.cwd, { recursive: true });
    });

    const day = (n: number): Date => new Date(Date.UTC(2026, 10, n));
    /**
     * Returns one update for each number. The number is the index of the update's commit in
     * `commits`. The newest update is first.
     */
    const releases = (...numbers: readonly number[]): readonly Update[] =>
      numbers.map((n, place) => ({
        branch: "main",
        by: "ada",
        commit: commits[n],
        ended: undefined,
        imageRef,
        link: undefined,
        program: undefined,
        reason: undefined,
        started: day(20 - place),
        succeeded: true,
      }));
    const presence = async (...numbers: readonly number[]) =>
      presenceOf(commits[1] ?? "", releases(...numbers), workspace);

    it("runs since the first release that has it", async () => {
      const { now } = await presence(2, 1, 0);
      assert.deepEqual(now?.started, day(19));
      assert.equal(now.commit, commits[1]);
    });

    it("ran until an older release took its place", async () => {
      assert.deepEqual(await presence(0, 2, 1, 0), { now: undefined, ran: [day(18), day(20)] });
    });

    it("runs since the rollback was undone", async () => {
      assert.deepEqual((await presence(2, 0, 2)).now?.started, day(20));
    });

    it("has not run", async () => {
      assert.deepEqual(await presence(0), { now: undefined, ran: undefined });
      assert.deepEqual(await presence(), { now: undefined, ran: undefined });
    });
  });
});
