const { createRequire } = require("node:module");
const loadTypeScript = require("./load-typescript.cjs");

/**
 * Modules that Pulumi's SDK loads at its start, although only few programs need them: programs that
 * pass JavaScript functions to the SDK, such as dynamic providers. The first one is TypeScript.
 * Together, both modules take a quarter of the CPU time of the program.
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
 * Loads a Pulumi program, and returns its exports. Pulumi itself would load the program with
 * ts-node, which compiles all files of the program again in each new clone and in each CI job.
 *
 * @param {string} file Absolute path of the program's main TypeScript file.
 * @returns {unknown} The exports.
 * @throws The errors of `loadTypeScript`.
 */
module.exports = function loadProgram(file) {
  // After a kill of Pulumi's engine, no process reads the output of the program. Without these
  // listeners, Pulumi's SDK would report each failed write with another failed write, without end.
  // The program would then use a whole core, and more and more memory.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", () => {
      process.exit(1);
    });

  const requireOfSdk = createRequire(require.resolve("@pulumi/pulumi"));
  for (const name of rarelyNeeded) loadLater(requireOfSdk, name);
  const loaded = loadTypeScript(file);

  // Pulumi's SDK takes a stack trace for each promise, and almost no one reads these stack traces.
  // Without source maps, a stack trace takes less time. So Node.js uses the source maps only after
  // an error that no code has caught, and `cheap` in components/conventions/expected-error.ts uses
  // them for the other errors.
  process.setSourceMapsEnabled(false);
  for (const event of ["uncaughtExceptionMonitor", "unhandledRejection"])
    process.prependListener(event, () => {
      process.setSourceMapsEnabled(true);
    });
  return loaded;
};
