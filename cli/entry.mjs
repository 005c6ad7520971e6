// Every `npm run` command starts with this file. The file must work in a new clone, before npm has
// installed any package, so it imports only modules of Node.js. If npm has installed no packages
// yet, or if package-lock.json has changed since the last installation, this file runs `npm ci`.
// Then this file compiles cli/main.ts and runs it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const project = join(dirname(fileURLToPath(import.meta.url)), "..");

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/**
 * How to install Node.js. The Node.js packages of Debian 12 and of older distributions are too old.
 */
function nodeHint() {
  const macos = "brew install node@22";
  const linux =
    "Debian, Ubuntu: see https://github.com/nodesource/distributions; Fedora: sudo dnf install nodejs";
  return process.platform === "darwin" ? `macOS: ${macos}` : `${linux}; macOS: ${macos}`;
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  stop(
    `Node.js must be 20.19 or newer, but this is ${process.versions.node}; install a newer version and run the command again. ${nodeHint()}`,
  );
}

const lock = createHash("sha256")
  .update(readFileSync(join(project, "package-lock.json")))
  .digest("hex");
const installed = join(project, "node_modules", ".installed-from-lock");
if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
  const started = Date.now();
  process.stdout.write(
    "Installing the npm packages of package-lock.json (about a minute the first time)\n",
  );
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: project,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (npm.status !== 0) {
    stop("npm ci failed (see its output above). Fix the cause and run the command again.");
  }
  writeFileSync(installed, lock);
  process.stdout.write(
    `Installed the npm packages in ${Math.round((Date.now() - started) / 1000)} s\n`,
  );
}

// Node.js reads the source map of a file while it loads the file, so that the stack of an error names
// the TypeScript files.
process.setSourceMapsEnabled(true);
process.chdir(project);
const { compiled } = await import("./compile.mjs");
let main;
try {
  main = await compiled(project);
} catch (error) {
  // esbuild has printed its errors.
  const why = error.errors === undefined ? error.message : "See the errors above.";
  stop(`The commands could not be compiled. ${why}`);
}
await import(main);
