import { createRequire } from "node:module";
import type * as Pulumi from "@pulumi/pulumi";
import type * as Jobs from "../../jobs";
import type * as AllSettings from "../../settings";

// `npm run bench` runs this file in a separate process. The process prints how much time and memory
// the process has used. The argument determines what the process loads:
//   import:   only the import of @pulumi/kubernetes
//   program:  the program for stack local, with Pulumi's mocks instead of an engine
//   many:     the program with 200 jobs

/**
 * Type of the program's function. This file declares the type itself, because the program's module
 * uses `export =` and exports no type.
 */
type Program = (outside: object) => Promise<unknown>;

// Loads the program as CommonJS modules. Node.js loads each module when the code first needs the
// module. Pulumi uses lib/load-program.cjs instead. With lib/load-program.cjs, this file
// could not add jobs to the program's list.
const require = createRequire(import.meta.url);
const JOBS = 200;

async function runProgram(jobs: number): Promise<void> {
  const pulumi = require("@pulumi/pulumi") as typeof Pulumi;
  await pulumi.runtime.setMocks({
    call: () => ({}),
    newResource: ({ inputs, name }) => ({ id: name, state: inputs as Record<string, unknown> }),
  });
  const { settingsFrom } = require("../../settings") as typeof AllSettings;
  const entries = (require("../../jobs") as typeof Jobs).jobs as Jobs.Job[];
  const [entry] = entries;
  if (entry === undefined) throw new Error("jobs.ts has no job");
  for (let n = entries.length; n < jobs; n += 1)
    entries.push({ ...entry, name: `job-${String(n)}` });
  const digest = `sha256:${"a".repeat(64)}`;
  const settings = settingsFrom({
    config: { "services-orders:imageRef": `registry/services-orders@${digest}` },
    env: { SANDBOX_REGISTRY: "registry" },
    git: { branch: "main", commit: "a".repeat(40) },
    stack: "local",
  });
  const program = require("../../index") as Program;
  await program({
    readCluster: () => Promise.resolve({ clusterUid: "uid", namespace: undefined }),
    readSettings: () => Promise.resolve(settings),
  });
  // Waits until the program has registered all resources.
  await pulumi.runtime.disconnect();
}

// Pulumi's SDK records a stack trace for each resource and promise. With source maps, Node.js would
// map each stack trace to TypeScript lines, and this work would take most of the process's time.
process.setSourceMapsEnabled(false);
const started = performance.now();
const [, , what] = process.argv;
if (what === "import") require("@pulumi/kubernetes");
else await runProgram(what === "many" ? JOBS : 0);
const milliseconds = performance.now() - started;
console.log(JSON.stringify({ maxRssKiB: process.resourceUsage().maxRSS, milliseconds }));
