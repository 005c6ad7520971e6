const loadTypeScript = require("./load-typescript.cjs");

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
