import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { contentHash } from "../../../components/conventions/content-hash";
import { type Place, asMerged } from "../../../operations/preview/merged";
import { command } from "../../../lib/command";

describe("a preview of a branch", function () {
  this.timeout(30_000);
  let directory: string;
  let mine: string;
  let theirs: string;

  async function git(cwd: string, ...args: readonly string[]): Promise<string> {
    const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    return (await command("git", [...author, ...args], { cwd })).trim();
  }

  function write(cwd: string, name: string, text: string): void {
    const file = join(cwd, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  async function commit(cwd: string, name: string, text: string): Promise<void> {
    write(cwd, name, text);
    await git(cwd, "add", "--all");
    await git(cwd, "commit", "--quiet", "--message", name);
  }

  /** Pushes a commit from the clone `theirs` to main of the remote. */
  async function moveMain(name: string, text: string): Promise<void> {
    await commit(theirs, name, text);
    await git(theirs, "push", "--quiet", "origin", "main");
  }

  /**
   * Returns what `asMerged` passes to a preview: the notes, the directory, and some content of the
   * directory.
   */
  async function seen(env: Readonly<Record<string, string>> = {}) {
    return asMerged(
      { cwd: mine, env: { CIRCLE_BRANCH: "feature", ...env } },
      async (place: Place) => {
        const { cwd } = place.workspace;
        const read = (name: string) =>
          existsSync(join(cwd, name)) ? readFileSync(join(cwd, name), "utf8") : undefined;
        const jars = join(cwd, "service/target/image");
        return Promise.resolve({
          branch: read("branch"),
          cwd,
          hash: contentHash(cwd),
          jars: existsSync(jars) ? readdirSync(jars) : [],
          main: read("main"),
          modules: read("node_modules/there"),
          notes: place.notes,
          untracked: read("untracked"),
        });
      },
    );
  }

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-merged-test-"));
    [mine, theirs] = [join(directory, "mine"), join(directory, "theirs")];
    const remote = join(directory, "remote");
    await git(directory, "init", "--quiet", "--bare", "--initial-branch=main", remote);
    await git(directory, "clone", "--quiet", remote, theirs);
    await git(theirs, "checkout", "--quiet", "-B", "main");
    write(theirs, ".gitignore", "node_modules\ntarget\n");
    write(theirs, "service/src/main/A.java", "1");
    await moveMain("package-lock.json", "{}");
    await git(directory, "clone", "--quiet", remote, mine);
    await git(mine, "checkout", "--quiet", "-b", "feature");
    write(mine, "node_modules/there", "yes");
    write(mine, `service/target/image/services-orders-${contentHash(mine)}.jar`, "jar");
    await commit(mine, "branch", "1");
  });
  afterEach(() => {
    rmSync(directory, { force: true, recursive: true });
  });

  it("is of the branch itself while it has all of main", async () => {
    assert.deepEqual(await seen().then(({ cwd, notes }) => [cwd, notes]), [mine, []]);
  });

  it("has the newer changes of main and those of the branch, uncommitted ones too, and leaves the branch alone", async () => {
    await moveMain("main", "2");
    write(mine, "branch", "2");
    write(mine, "untracked", "3");
    const before = await git(mine, "status", "--porcelain=v2", "--branch");
    const { branch, cwd, hash, jars, main, modules, notes, untracked } = await seen();
    assert.deepEqual([branch, main, modules, untracked], ["2", "2", "yes", "3"]);
    assert.match(
      notes.join(),
      /^this code is 1 commit behind main \([0-9a-f]{7}\): the preview shows this code merged with main$/,
    );
    assert.deepEqual(jars, [`services-orders-${hash}.jar`]);
    assert.equal(await git(mine, "status", "--porcelain=v2", "--branch"), before);
    assert.ok(!existsSync(cwd));
    assert.equal((await git(mine, "worktree", "list")).split("\n").length, 1);
  });

  it("has a jar in name for main's newer code, and says so", async () => {
    await moveMain("service/src/main/A.java", "2");
    const { hash, jars, notes } = await seen();
    assert.notEqual(hash, contentHash(mine));
    assert.deepEqual(jars, [`services-orders-${hash}.jar`]);
    assert.match(
      notes.join(),
      /jar on this machine was not built from the merged code, so the preview may show a new image/,
    );
  });

  it("is of the branch alone if both conflict, or main needs other packages, and says so", async () => {
    await moveMain("branch", "other");
    assert.deepEqual(await seen().then(({ branch, cwd }) => [branch, cwd]), ["1", mine]);
    assert.match(
      (await seen()).notes.join(),
      /conflict in branch\. The preview shows the newer changes of main as removed/,
    );
    await git(theirs, "rm", "--quiet", "branch");
    await moveMain("package-lock.json", "{ }");
    const { cwd, notes } = await seen();
    assert.equal(cwd, mine);
    assert.match(notes.join(), /the merged code needs other npm packages/);
  });

  it("of main itself is of the commit that is checked out, also if a newer one is there", async () => {
    await moveMain("main", "2");
    const { cwd, notes } = await seen({ CIRCLE_BRANCH: "main" });
    assert.equal(cwd, mine);
    assert.match(
      notes.join(),
      /1 commit behind main .*: the preview does not include the newer code of main/,
    );
  });

  it("is of the branch alone without a remote", async () => {
    await git(mine, "remote", "remove", "origin");
    assert.deepEqual(await seen().then(({ cwd, notes }) => [cwd, notes]), [mine, []]);
  });
});
