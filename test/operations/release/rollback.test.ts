import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { project } from "../../../lib/project";
import type { Update } from "../../../operations/history/updates";
import { declarationOf } from "../../../components/conventions/migrations/declaration";
import { migrationsDirectory } from "../../../config/service";
import { loadPlan } from "../../../operations/preview/plan";
import { earlierRelease, rollback } from "../../../operations/release/rollback";
import { Programs } from "../support/programs";

const image = (release: string): string => `registry/orders@sha256:${release.repeat(64)}`;
const commit = (release: string): string => release.repeat(40);

/**
 * Returns updates of these releases, the newest first. `!` marks a failed update, and `<` marks a
 * rollback.
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
    // After a failed update, the stack's outputs still name the previous release.
    assert.equal(earlier("c! b a", "b"), "a");
  });

  it("goes to a named release, by commit or digest", () => {
    assert.equal(earlier("c b a", "c", "aaaaaaa"), "a");
    assert.equal(earlier("c b a", "c", image("b").slice(-64)), "b");
  });

  it("says what is missing when there is no such release", () => {
    assert.throws(
      () => earlier("c", "c"),
      /no release before the running one.*Nothing was changed/,
    );
    assert.throws(
      () => earlier("c b", "c", "fffffff"),
      /has no earlier release "fffffff".*npm run history/,
    );
    assert.throws(() => earlier("c b", "c", "b"), /has no earlier release "b"/);
  });

  it("is refused for a stack that runs what is checked out, and without a reason", async () => {
    await assert.rejects(rollback("staging", { reason: "x" }), /check out the older code/);
    for (const reason of ["two\nlines", ""]) {
      await assert.rejects(rollback("prod", { reason }), /--reason must be a line/);
    }
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

/**
 * The test runs in a clone that does not contain old versions of files. A checkout in CircleCI does
 * not contain old versions either.
 */
describe("the preview of a rollback", function () {
  this.timeout(60_000);
  let programs: Programs;
  let clone: string;
  let older: string;
  const git = (cwd: string, ...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=ada", "-c", "user.email=ada@example.com", ...args], {
      cwd,
      encoding: "utf8",
    }).trim();

  beforeEach(() => {
    mock.method(console, "log", () => undefined);
    mock.method(process.stdout, "write", () => true);
    mock.method(process.stderr, "write", () => true);
    programs = new Programs();
    const origin = join(programs.directory, "origin");
    clone = join(programs.directory, "clone");
    mkdirSync(origin);
    git(origin, "init", "--quiet", "--initial-branch=main");
    git(origin, "config", "uploadpack.allowFilter", "true");
    const commitWith = (release: string): string => {
      for (const file of ["jobs.ts", "Pulumi.prod.yaml", "program.ts"]) {
        writeFileSync(join(origin, file), `${release}\n`);
      }
      git(origin, "add", ".");
      git(origin, "commit", "--quiet", "--message", release);
      return git(origin, "rev-parse", "HEAD");
    };
    older = commitWith("older");
    const newer = commitWith("newer");
    git(programs.directory, "clone", "--quiet", "--filter=blob:none", `file://${origin}`, clone);
    const update = (commit: string, ref: string): object => ({
      environment: { "git.head": commit },
      kind: "update",
      message: `Release of main at ${commit} as ${ref} by ada`,
      result: "succeeded",
      startTime: "2026-11-24T14:02:00Z",
    });
    const history = [update(newer, image("b")), update(older, image("a"))];
    const outputs = { commit: newer, imageRef: image("b") };
    const events = join(import.meta.dirname, "../preview/recorded/nothing.jsonl");
    const log = 'for last; do :; done; while [ "$1" != --event-log ]; do shift; done; cp';
    const seen = 'echo "$RELEASE_IMAGE_REF" $(cat jobs.ts Pulumi.prod.yaml program.ts)';
    programs.add("pulumi", {
      "*stack ls*": `echo '[{"name":"prod"}]'`,
      "*stack output*": `echo '${JSON.stringify(outputs)}'`,
      "*stack history*": `echo '${JSON.stringify(history)}'`,
      "preview *": `${seen} > "${programs.directory}/seen"; ${log} "${events}" "$2"`,
    });
  });
  afterEach(() => {
    mock.restoreAll();
    process.exitCode = undefined;
    programs.remove();
  });

  it("shows the older release with its files and today's program, and changes nothing", async () => {
    const missing = git(clone, "rev-list", "--objects", "--missing=print", "--all");
    assert.match(missing, /^\?/m, "the clone has every file of every commit");
    const preview = join(programs.directory, "reports", "preview.json");
    const workspace = { ...programs.workspace(), cwd: clone };
    // If the person who starts the pipeline does not set the parameter `to`, `to` is an empty text.
    await rollback("prod", { preview, reason: "it fails", to: "" }, workspace);
    const seen = readFileSync(join(programs.directory, "seen"), "utf8");
    assert.equal(seen, `${image("a")} older older newer\n`);
    assert.equal(loadPlan(preview).stack, "prod");
    const { headline } = JSON.parse(readFileSync(preview, "utf8")) as { headline: string };
    assert.equal(headline, "nothing changes");
    const changing = programs.calls.filter((call) => / (?:up|tag|import|init|cancel) /.test(call));
    assert.deepEqual(changing, []);
    assert.equal(git(clone, "worktree", "list").split("\n").length, 1);
    assert.equal(git(clone, "status", "--porcelain"), "");
  });
});

describe("a migration", () => {
  it("says in its first line what it does to older code", () => {
    assert.equal(
      declarationOf("-- expand: a nullable column\nALTER TABLE orders ...")?.kind,
      "expand",
    );
    assert.equal(declarationOf("-- contract\nALTER TABLE orders ...")?.kind, "contract");
    assert.equal(declarationOf("ALTER TABLE orders ..."), undefined);
    assert.equal(declarationOf("-- expanded"), undefined);
  });

  it("after the first one says it: a rollback needs to know", () => {
    const silent = readdirSync(join(project, migrationsDirectory))
      .filter((file) => file.endsWith(".sql") && !file.startsWith("V1__"))
      .filter((file) => {
        const sql = readFileSync(join(project, migrationsDirectory, file), "utf8");
        return declarationOf(sql) === undefined;
      });
    assert.deepEqual(silent, []);
  });
});
