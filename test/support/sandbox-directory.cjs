/**
 * A directory of its own in place of ~/.services-orders-sandbox, for unit tests. Mocha loads this
 * before any test: the directory is read once, when the first of the sandbox's code is loaded.
 */
const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const directory = mkdtempSync(join(tmpdir(), "sandbox-directory-"));
process.env.SANDBOX_DIR = directory;
process.once("exit", () => {
  rmSync(directory, { force: true, recursive: true });
});
