// Pulumi itself would load the policy pack with ts-node, which always checks the types of a policy
// pack. The type check takes seconds.
const { join } = require("node:path");
const loadTypeScript = require("../lib/load-typescript.cjs");

module.exports = loadTypeScript(join(__dirname, "index.ts"));
