// Pulumi starts with this file, because package.json names it.
const { join } = require("node:path");
const loadProgram = require("../lib/load-program.cjs");

module.exports = loadProgram(join(__dirname, "index.ts"));
