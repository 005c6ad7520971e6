import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { project } from "../../../lib/project";
import type { Update } from "../../../operations/history/updates";
import { assertNotHeld } from "../../../operations/release/hold";
import { kindOf, migrationsDirectory } from "../../../operations/release/migrations";
import { earlierRelease, rollback } from "../../../operations/release/rollback";

const image = (release: string): string => `registry/orders@sha256:${release.repeat(64)}`;
const commit = (release: string): string => release.repeat(40);

/**
 * Updates that brought these releases, the newest first. `!` marks one that failed, `<` a rollback.
 */
const updates = (releases: string): readonly Update[] =>
  releases.split(" ").map((text) => {
    const [release = ""] = text;
    return {
      branch: "main",
      by: "ada",
      commit: commit(release),
      ended: undefined,
      imageRef: image(release),
      link: undefined,
      program: text,
      reason: text.endsWith("<") ? "it fails" : undefined,
      started: new Date(0),
      succeeded: !text.endsWith("!"),
    };
  });
const earlier = (releases: string, running: string, to?: string): string =>
  earlierRelease("prod", updates(releases), image(running), to).imageRef.slice(-1);

describe("a rollback", () => {
  it("goes to the release before the running one", () => {
    assert.equal(earlier("c b a", "c"), "b");
    assert.equal(earlier("c c b", "c"), "b");
  });

  it("goes one release further the second time, and not to and fro", () => {
    assert.equal(earlier("b c b a", "b"), "a");
  });

  it("takes jobs and stack file from the release's own deploy, not from a rollback to it", () => {
    const program = (releases: string, running: string): string | undefined =>
      earlierRelease("prod", updates(releases), image(running)).program;
    assert.equal(program("d b< c b a", "d"), "b");
    assert.equal(program("d b< c", "d"), "b<");
  });

  it("ignores releases that failed", () => {
    assert.equal(earlier("c b! a", "c"), "a");
    // A failed update leaves the outputs of the release before it.
    assert.equal(earlier("c! b a", "b"), "a");
  });

  it("goes to a named release, by commit or digest", () => {
    assert.equal(earlier("c b a", "c", "aaaaaaa"), "a");
    assert.equal(earlier("c b a", "c", image("b").slice(-64)), "b");
  });

  it("says what is missing when there is no such release", () => {
    assert.throws(() => earlier("c", "c"), /no release before this one.*Nothing was changed/);
    assert.throws(
      () => earlier("c b", "c", "fffffff"),
      /has not run "fffffff" before.*npm run history/,
    );
    assert.throws(() => earlier("c b", "c", "b"), /has not run "b" before/);
  });

  it("is refused for a stack that runs what is checked out, and without a reason", async () => {
    await assert.rejects(rollback("staging", { reason: "x" }), /check the older code out/);
    await assert.rejects(rollback("prod", { reason: "two\nlines" }), /--reason must be a line/);
  });
});

describe("a rollback next to a canary", () => {
  it("is refused, before it reads anything else", async () => {
    const directory = mkdtempSync(join(tmpdir(), "rollback-"));
    const answers = [
      `*"stack ls"*) echo '[{"name":"prod"},{"name":"prod-canary"}]';;`,
      `*"stack output --stack prod-canary"*) echo '{"imageRef":"${image("c")}"}';;`,
      "*) exit 1;;",
    ];
    const script = `#!/bin/sh\ncase "$*" in\n${answers.join("\n")}\nesac\n`;
    writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
    const env = { PATH: `${directory}:${process.env["PATH"] ?? ""}` };
    try {
      const back = rollback("prod", { reason: "x" }, { cwd: directory, env });
      await assert.rejects(back, /A canary runs.*npm run canary -- stop.*Nothing was changed/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("a hold", () => {
  const hold = { by: "ada", reason: "checkout fails", since: "2026-11-24T14:02:00Z" };

  it("stops a release, and says who holds and why", () => {
    assert.throws(() => {
      assertNotHeld("prod", { hold: JSON.stringify(hold) });
    }, /"prod" is held since 2026-11-24 14:02 UTC by ada: checkout fails\n.*npm run resume -- prod/);
  });

  it("is not there without its tag", () => {
    assertNotHeld("prod", { promoted: "{}" });
  });
});

describe("a migration", () => {
  it("says in its first line what it does to older code", () => {
    assert.equal(kindOf("-- expand: a nullable column\nALTER TABLE orders ..."), "expand");
    assert.equal(kindOf("-- contract\nALTER TABLE orders ..."), "contract");
    assert.equal(kindOf("ALTER TABLE orders ..."), undefined);
    assert.equal(kindOf("-- expanded"), undefined);
  });

  it("after the first one says it: a rollback needs to know", () => {
    const silent = readdirSync(join(project, migrationsDirectory))
      .filter((file) => !file.startsWith("V1__"))
      .filter((file) => {
        const sql = readFileSync(join(project, migrationsDirectory, file), "utf8");
        return kindOf(sql) === undefined;
      });
    assert.deepEqual(silent, []);
  });
});
