const { join } = require("node:path");
const loadTypeScript = require("../lib/load-typescript.cjs");

try {
  loadTypeScript(join(__dirname, "main.ts"));
} catch (error) {
  // esbuild has already printed its errors: the file, the line and what is wrong.
  if (!Array.isArray(error.errors)) throw error;
  process.exitCode = 1;
}
