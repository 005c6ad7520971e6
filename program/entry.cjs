// Pulumi starts with this file, because package.json names it. Pulumi itself would load index.ts
// with ts-node, which compiles all files of the program again in each new clone and in each CI job.
const { join } = require("node:path");
const loadTypeScript = require("../lib/load-typescript.cjs");

module.exports = loadTypeScript(join(__dirname, "..", "index.ts"));
