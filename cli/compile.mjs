// Compiles the TypeScript code of the commands to JavaScript, and keeps the result for the next
// command. A loader such as tsx would compile file by file, in a second thread of every command.
import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Directories of the project that have no code of the commands. */
const withoutCode = new Set(["docs", "node_modules", "reports", "service", "test", "test-results"]);

/**
 * Compiled code that no command has used for this time is removed. It must be longer than the
 * longest command, because a command loads some of its code late. Milliseconds.
 */
const keptFor = 24 * 60 * 60 * 1000;

/** Returns the paths of all files below `directory` whose content can change the compiled code. */
function filesIn(directory, isLeftOut = () => false) {
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && !isLeftOut(name))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return filesIn(path);
      return entry.isFile() && /\.(?:cjs|json|mjs|ts)$/.test(entry.name) ? [path] : [];
    });
}

/**
 * Returns a hash of everything that the compiled code depends on. The version of esbuild is in
 * package-lock.json, which is one of the files.
 */
function keyOf(project, files) {
  const hash = createHash("sha256").update(`${project}\n${process.version}\n`);
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(file)).update("\n");
  return hash.digest("hex").slice(0, 16);
}

/**
 * An esbuild plugin. After the compilation, `import.meta` would describe the compiled file. The
 * plugin replaces it with the path of the TypeScript file. The plugin also leaves CommonJS files
 * where they are.
 */
const asInSource = {
  name: "as in the source code",
  setup(build) {
    build.onResolve({ filter: /^\.{1,2}\/.*\.cjs$/ }, ({ path, resolveDir }) => ({
      external: true,
      path: pathToFileURL(resolve(resolveDir, path)).href,
    }));
    build.onLoad({ filter: /\.(?:mjs|ts)$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8")
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
      loader: path.endsWith(".ts") ? "ts" : "js",
    }));
  },
};

/** Compiles `cli/main.ts`, and everything that it imports, into `directory`. */
async function build(project, files, directory) {
  const { build, stop } = await import("esbuild");
  try {
    const { metafile } = await build({
      absWorkingDir: project,
      bundle: true,
      entryPoints: [join("cli", "main.ts")],
      format: "esm",
      logLevel: "error",
      metafile: true,
      outExtension: { ".js": ".mjs" },
      outdir: directory,
      packages: "external",
      platform: "node",
      plugins: [asInSource],
      sourcemap: "linked",
      sourcesContent: false,
      splitting: true,
      target: "node20.19",
    });
    const known = new Set(files);
    const unknown = Object.keys(metafile.inputs).filter((path) => !known.has(join(project, path)));
    if (unknown.length > 0) {
      throw new Error(`cli/compile.mjs does not notice changes to ${unknown.join(", ")}`);
    }
  } finally {
    await stop();
  }
}

/** Removes the compiled code that no command has used for a day. */
function removeOld(cache) {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    try {
      if (Date.now() - statSync(path).mtimeMs > keptFor) rmSync(path, { recursive: true });
    } catch {
      // It belongs to another user, or another command has just removed it.
    }
  }
}

/** Removes the directory when the command ends. */
function removeAtEnd(directory) {
  process.on("exit", () => {
    rmSync(directory, { force: true, recursive: true });
  });
}

/**
 * Creates an empty directory for the compiled code. If this user cannot write to the project, the
 * directory is elsewhere, and exists until the command ends.
 */
function newDirectory(project, cache) {
  try {
    mkdirSync(cache, { recursive: true });
    return mkdtempSync(join(cache, "new-"));
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(error.code)) throw error;
  }
  const directory = mkdtempSync(join(tmpdir(), "services-orders-commands-"));
  removeAtEnd(directory);
  symlinkSync(join(project, "node_modules"), join(directory, "node_modules"));
  return directory;
}

/** Whether the directory has the compiled code, and this user can read it. */
function isReadable(directory) {
  try {
    accessSync(join(directory, "main.mjs"), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Sets the time of the directory, so that `removeOld` keeps it. */
function markAsUsed(directory) {
  try {
    utimesSync(directory, new Date(), new Date());
  } catch {
    // Another user has compiled the code.
  }
}

/**
 * Returns the URL of the module that runs the command line. Compiles the code if it has changed, or
 * if this Node.js is another version.
 *
 * @param {string} project Absolute path of the project.
 * @returns {Promise<string>}
 * @throws Error if esbuild finds an error in the code. esbuild has then printed file and line.
 */
export async function compiled(project) {
  const files = filesIn(project, (name) => withoutCode.has(name));
  const cache = join(project, "node_modules", ".cache", "services-orders");
  const kept = join(cache, keyOf(project, files));
  const url = (directory) => pathToFileURL(join(directory, "main.mjs")).href;
  if (isReadable(kept)) {
    markAsUsed(kept);
    return url(kept);
  }
  const made = newDirectory(project, cache);
  try {
    await build(project, files, made);
  } catch (error) {
    rmSync(made, { force: true, recursive: true });
    throw error;
  }
  if (dirname(made) !== cache) return url(made);
  try {
    // Only its owner can read a new temporary directory. Each user may run the compiled code.
    chmodSync(made, 0o755);
    renameSync(made, kept);
  } catch {
    // Another command has compiled the same code, or this user cannot read or replace it.
    removeAtEnd(made);
    return url(isReadable(kept) ? kept : made);
  }
  removeOld(cache);
  return url(kept);
}
