const { join } = require("node:path");
const loadTypeScript = require("../lib/load-typescript.cjs");

try {
  loadTypeScript(join(__dirname, "main.ts"));
} catch (error) {
  if (!(error instanceof SyntaxError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
