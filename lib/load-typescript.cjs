const Module = require("node:module");
const { dirname } = require("node:path");

/**
 * Loads esbuild. By default, esbuild would keep a thread and a process until this process ends.
 * esbuild reads the environment variable only while Node.js loads it.
 */
function esbuild() {
  const name = "ESBUILD_WORKER_THREADS";
  const before = process.env[name];
  process.env[name] = "0";
  try {
    return require("esbuild");
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

const { buildSync, formatMessagesSync } = esbuild();

/**
 * Joins a TypeScript file with the files of this project that it imports, and removes the types.
 * Returns the JavaScript code.
 *
 * @throws SyntaxError if esbuild finds an error. The message says which file and line is wrong. The
 * error has no stack, because a stack of esbuild would not help. Pulumi prints the message of a
 * SyntaxError.
 */
function joinedCode(file, outfile) {
  try {
    const { outputFiles } = buildSync({
      bundle: true,
      entryPoints: [file],
      format: "cjs",
      logLevel: "silent",
      logOverride: { "empty-import-meta": "error" },
      outfile,
      packages: "external",
      platform: "node",
      sourcemap: "inline",
      sourcesContent: false,
      target: `node${process.versions.node}`,
      write: false,
    });
    return outputFiles[0].text;
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    const text = formatMessagesSync(error.errors, { kind: "error" }).join("").trimEnd();
    throw Object.assign(new SyntaxError(text), { stack: undefined });
  }
}

/**
 * Modules that Pulumi's SDK loads at its start, although only few programs need them: programs that
 * pass JavaScript functions to the SDK, such as dynamic providers. The first one is TypeScript.
 * Together, both modules take a quarter of the CPU time of our program.
 */
const rarelyNeeded = ["./typescript-shim", "@npmcli/arborist"];

/**
 * Makes `require` return a placeholder for a module. The placeholder loads the module when code
 * first reads a property of the module.
 *
 * @param {NodeJS.Require} requireOfSdk The function `require` of Pulumi's SDK.
 * @param {string} name Name of the module in the SDK's code.
 */
function loadLater(requireOfSdk, name) {
  let path;
  try {
    path = requireOfSdk.resolve(name);
  } catch {
    return; // This version of the SDK does not have the module.
  }
  if (path in require.cache) return;
  let loaded;
  const load = () => {
    if (loaded === undefined) {
      delete require.cache[path];
      loaded = requireOfSdk(path);
    }
    return loaded;
  };
  // Because of `__esModule`, code that TypeScript has compiled uses the placeholder itself, and does
  // not copy all properties.
  const get = (_, property) => (property === "__esModule" ? true : load()[property]);
  require.cache[path] = { exports: new Proxy({}, { get }), id: path, loaded: true };
}

/**
 * Loads a TypeScript file, and returns its exports. esbuild compiles the file and the files that it
 * imports, in memory, and does not check the types: `npm run check` does.
 *
 * A loader such as tsx or ts-node compiles file by file, and also examines the files of the npm
 * packages.
 *
 * @param {string} file Absolute path.
 * @returns {unknown} The exports.
 * @throws SyntaxError if the file, or a file that it imports, cannot be compiled.
 * @throws The errors of the loaded code.
 */
module.exports = function loadTypeScript(file) {
  const requireOfSdk = Module.createRequire(require.resolve("@pulumi/pulumi"));
  for (const name of rarelyNeeded) loadLater(requireOfSdk, name);
  const joined = file.replace(/\.ts$/, ".cjs");
  const code = joinedCode(file, joined);
  // With these two settings, the stack of an error names the TypeScript files. Before Pulumi loads a
  // policy pack, it replaces `prepareStackTrace` with a function of ts-node, which does not know the
  // joined code.
  process.setSourceMapsEnabled(true);
  delete Error.prepareStackTrace;
  const loaded = new Module(joined, module);
  loaded.filename = joined;
  loaded.paths = Module._nodeModulePaths(dirname(joined));
  loaded._compile(code, joined);
  return loaded.exports;
};
