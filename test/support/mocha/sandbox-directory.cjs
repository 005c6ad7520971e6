/**
 * Creates a separate sandbox directory for unit tests, instead of ~/.services-orders-sandbox. Mocha
 * loads this file before any test, because the sandbox's modules read SANDBOX_DIR when Node.js
 * loads these modules.
 */
const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const directory = mkdtempSync(join(tmpdir(), "sandbox-directory-"));
process.env.SANDBOX_DIR = directory;
// The environment of `npm run sandbox -- env` names a state. A unit test must not find this state.
delete process.env.PULUMI_BACKEND_URL;
process.once("exit", () => {
  rmSync(directory, { force: true, recursive: true });
});
