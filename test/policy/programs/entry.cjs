const { join } = require("node:path");
const loadTypeScript = require("../../../lib/load-typescript.cjs");

module.exports = loadTypeScript(join(__dirname, "index.ts"));
