/**
 * The rooms of the repository (its top-level folders and files), and the paths that each room may
 * import. `npm run check` runs dependency-cruiser with this file. The rules also apply to imports
 * of types.
 */

/** Paths that most rooms may import. */
const facts = ["components/conventions/", "config/", "environments.ts"];
const onFacts = [...facts, "settings/"];

/** Each room, and the paths that it may import. A room may always import its own files. */
const rooms = {
  "lib/": [],
  "environments.ts": ["components/conventions/"],
  "config/": [],
  "components/": ["config/"],
  "jobs.ts": ["components/", "environments.ts"],
  "settings/": facts,
  "policy/": [...onFacts, "lib/load-typescript.cjs"],
  "platform/": [...onFacts, "lib/load-program.cjs"],
  "program/": [...onFacts, "components/", "jobs.ts", "lib/load-program.cjs"],
  "index.ts": [...onFacts, "components/", "jobs.ts", "program/"],
  "operations/": [...onFacts, "jobs.ts", "lib/"],
  "pipeline/": [...onFacts, "jobs.ts", "lib/"],
  "sandbox/": ["lib/"],
  // The benchmarks run the program, so they load index.ts and jobs.ts.
  "tools/": [
    ...onFacts,
    "components/",
    "index.ts",
    "jobs.ts",
    "lib/",
    "operations/",
    "pipeline/",
    "sandbox/",
  ],
  "cli/": [...onFacts, "lib/", "operations/", "pipeline/", "sandbox/", "tools/"],
};

const escaped = (path) => `^${path.replaceAll(".", "\\.")}`;

/**
 * Matches source files. Built-in modules of Node.js, such as `node:fs`, have no file extension and
 * do not match.
 */
const source = "[.](?:ts|mjs|cjs)$";

module.exports = {
  forbidden: [
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `from ${room}`,
      comment: `${room} may import ${allowed.length === 0 ? "no other room" : allowed.join(", ")}`,
      severity: "error",
      from: { path: escaped(room) },
      to: { path: source, pathNot: ["(?:^|/)node_modules/", ...[room, ...allowed].map(escaped)] },
    })),
    {
      name: "conventions stand alone",
      comment: "components/conventions/ is data and pure functions: it imports no component",
      severity: "error",
      from: { path: "^components/conventions/" },
      to: { path: "^components/", pathNot: "^components/conventions/" },
    },
    {
      name: "nothing imports a test",
      severity: "error",
      from: { pathNot: "^test/" },
      to: { path: "^test/" },
    },
    {
      name: "no circle",
      comment: "files must not import each other in a circle; imports of types count, too",
      severity: "error",
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(?:node_modules|service|reports)/" },
    // With this option, dependency-cruiser also checks imports of types.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
  },
};
