import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { replaceFile, replaceLink } from "../../lib/replace";

describe("a file that is replaced", () => {
  let directory: string;
  let path: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "replace-"));
    path = join(directory, "file.json");
  });
  after(() => {
    rmSync(directory, { force: true, recursive: true });
  });

  /**
   * Runs `code` in another process. Calls `look` repeatedly until that process ends. Returns the
   * number of calls.
   */
  async function meanwhile(code: string, look: () => void): Promise<number> {
    const lib = pathToFileURL(join(process.cwd(), "lib", "replace.ts")).href;
    const script = `import { replaceFile, replaceLink } from ${JSON.stringify(lib)};\n${code}`;
    const args = ["--import", "tsx", "--input-type=module", "--eval", script];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    let exitCode: number | null | undefined;
    child.once("exit", (exit) => (exitCode = exit));
    let looks = 0;
    while (exitCode === undefined) {
      look();
      looks += 1;
      await turn();
    }
    assert.equal(exitCode, 0);
    return looks;
  }

  it("is whole at every moment for another process", async () => {
    const size = 200_000;
    replaceFile(path, "x".repeat(size));
    const write = `for (let i = 0; i < 500; i++) replaceFile(${JSON.stringify(path)}, "x".repeat(${String(size)}));`;
    let broken = 0;
    const looks = await meanwhile(write, () => {
      if (readFileSync(path, "utf8").length !== size) broken += 1;
    });
    assert.ok(looks > 100, String(looks));
    assert.equal(broken, 0);
    assert.deepEqual(readdirSync(directory), ["file.json"]);
  });

  it("keeps secrets from other users", () => {
    replaceFile(path, "{}", 0o600);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("exists at every moment if it is a link", async () => {
    const link = join(directory, "link");
    replaceLink(link, "one");
    const write = `for (let i = 0; i < 2000; i++) replaceLink(${JSON.stringify(link)}, "two");`;
    let gone = 0;
    await meanwhile(write, () => {
      if (lstatSync(link, { throwIfNoEntry: false }) === undefined) gone += 1;
    });
    assert.equal(gone, 0);
  });
});
