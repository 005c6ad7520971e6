import { Command, InvalidArgumentError } from "commander";
import { resolve } from "node:path";
import type { ProbeOptions } from "../operations/probe/probe";
import type { RunOptions } from "../pipeline/run/run";
import { addBench } from "./bench";
import { addCommand, exitWithWrongUse, printingWrongUse } from "./command";
import { addDebug } from "./debug";
import { addExplain } from "./explain";
import { addInspect } from "./inspect";
import { addOperations } from "./operations";
import { addProve } from "./prove";
import { addRun } from "./run";
import type { Where } from "./own-cluster";
import type { Options } from "../sandbox/layout";
import { Steps } from "../lib/progress";
import { quoted } from "../lib/shell";
import { duration } from "../lib/time";
import { UserError } from "../lib/errors";

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1024 || value > 65_535) {
    throw new InvalidArgumentError("A port must be an integer from 1024 to 65535.");
  }
  return value;
}

/**
 * Runs the jobs of a workflow on this machine. The exit code is 1 if a job fails or is
 * unauthorized. A job that waits for an approval does not change the exit code.
 */
async function runWorkflow(
  workflow: string,
  {
    outsider = false,
    parameter = [],
    ...rest
  }: RunOptions & { readonly outsider?: boolean; readonly parameter?: readonly string[] },
): Promise<void> {
  const { rehearse } = await import("../pipeline/run/run");
  const { environment } = await import("../sandbox/environment");
  let sandboxes: Readonly<Record<string, string>> = {};
  try {
    if (process.env["PULUMI_BACKEND_URL"] === undefined) sandboxes = environment();
  } catch (error) {
    // The run continues without the sandbox, because jobs that only run checks and tests do not
    // need the sandbox. A job that needs the sandbox then fails with its own error.
    if (!(error instanceof UserError)) throw error;
    console.log(`Jobs run without the sandbox: ${error.message}`);
  }
  const person = { id: "00000000-0000-4000-8000-000000000000" };
  const result = await rehearse(workflow, {
    ...rest,
    ...(outsider ? { people: { actor: person, approver: person } } : {}),
    env: { ...process.env, ...sandboxes },
    parameters: Object.fromEntries(
      parameter.map((text) => {
        const [name = "", ...value] = text.split("=");
        return [name, value.join("=")];
      }),
    ),
  });
  const isBad = [...result.values()].some(({ end }) => end === "failed" || end === "unauthorized");
  process.exitCode = isBad ? 1 : 0;
}

// Each command loads only the code that it needs, so that the command starts faster.
const local = () => import("./local");
const sandbox = () => import("../sandbox/sandbox");
const scanners = () => import("../operations/scan/scan");
const tests = () => import("../tools/test");

const program = new Command("npm run").description("Ships services-orders to Kubernetes");

addCommand(program, "up")
  .description("builds the service, and runs it in the sandbox or in your own cluster")
  .option("--context <name>", "use the cluster of this context, also in later runs; needs no root")
  .option("--registry <address>", "image registry, such as localhost:5001, also for later runs")
  .option("--kubeconfig <file>", "file with the context (default: KUBECONFIG or ~/.kube/config)")
  .option("--sandbox", "use the sandbox again")
  .option("--yes", "do not ask before the first use of a cluster")
  .exitOverride(exitWithWrongUse)
  .action(printingWrongUse(async (where: Where) => (await local()).up(where)));
program
  .command("down")
  .description("destroys stack local, then stops the sandbox if the stack is in the sandbox")
  .action(async () => (await local()).down());
program
  .command("build")
  .description("builds the service's jars with Maven")
  .action(async () => {
    const { buildService } = await import("../tools/build");
    await new Steps(1).step("Service: Java code to jars (Maven)", async (report) => {
      console.log(`      ${await buildService(report)}`);
    });
  });
program
  .command("check")
  .description("checks types, lint, arrows, unused exports, format, pipelines, migrations, prose")
  .argument("[checks...]", "types, lint, arrows, unused, format, pipelines, migrations or prose")
  .action(async (checks: readonly string[]) => (await import("../tools/check")).check(checks));
program
  .command("format")
  .description("corrects the format of files, so that the check format succeeds")
  .action(async () => {
    await (await import("../tools/check")).format();
  });
program
  .command("reference")
  .description("writes docs/reference from the code")
  .action(async () => {
    await (await import("../tools/reference")).reference();
  });
const pipeline = addCommand(program, "pipeline")
  .description("writes .circleci and the pictures of the pipelines from pipeline/")
  .action(async () => {
    (await import("../pipeline/write")).write();
  });
pipeline
  .command("check")
  .description("checks the files in .circleci, also for issues that CircleCI's own schema misses")
  .action(async () => {
    await (await import("../pipeline/check")).checkFiles();
  });
pipeline
  .command("pin")
  .description("adds the digest of each executor's image in config/circleci.ts, from its registry")
  .action(async () => {
    const { taggedImage } = await import("../operations/clients/registry");
    const { pin } = await import("../pipeline/pin");
    await pin(async (repository, tag) => taggedImage(repository, tag, {}));
  });
pipeline
  .command("run")
  .description("runs a workflow's jobs on this machine, in clean copies of a commit")
  .argument("<workflow>", "name in .circleci: branch, main, canary-start, ...")
  .option("--approve <job...>", "approvals to give; jobs that wait for another approval do not run")
  .option("--branch <branch>", "branch to simulate (default: the branch that is checked out)")
  .option("--caches <directory>", "directory of caches that runs share (default: a new directory)")
  .option("--commit <commit>", "commit whose code runs (default: the commit that is checked out)")
  .option(
    "--config-branch <branch>",
    "branch whose configuration runs (default: the configuration of the commit)",
  )
  .option("--contexts <directory>", "directory of files <context>.env with NAME=value lines")
  .option("--outsider", "start and approve as a person who is not in the approvers' group")
  .option("--parameter <name=value...>", "parameters of the pipeline")
  .option("--skip <job...>", "jobs to count as successful without running them")
  .option("--pull-request <number>", "number of the pull request", Number, 1)
  .option("--ssh", "run the jobs as a rerun with SSH does")
  .action(runWorkflow);
// `npm run scan` imports the module `trivy` only when the command starts Trivy, because this module
// reads the variable SANDBOX_DIR during the import.
const scannerPrograms = {
  trivy: async () => (await import("../sandbox/install/trivy")).trivy(),
};
const scan = addCommand(program, "scan")
  .description("runs the security scans: dependencies, configuration, secrets in files")
  .action(async () => {
    await (await scanners()).scanSource({ fetch: scannerPrograms });
  });
scan
  .command("image")
  .description("scans the image that `npm run image` pushed, or another one")
  .argument("[ref]", "repository@sha256:...")
  .action(async (ref?: string) => {
    await (await scanners()).scanImage(ref, { fetch: scannerPrograms });
  });
program
  .command("probe")
  .description(
    "measures which connections a local or review stack's namespace allows, with short-lived pods",
  )
  .argument("<stack>", "local or review-<slug>")
  .option("--internet <address>", "an internet address that answers", "1.1.1.1")
  .option("--seconds <n>", "seconds after which a connection counts as blocked", Number, 2)
  .action(async (stack: string, given: ProbeOptions) => {
    await (await import("../operations/probe/probe")).probe(stack, given);
  });
addBench(program);
program
  .command("rehearse")
  .description(
    "tests all environments in the sandbox: platform, staging, production, review stacks, canary",
  )
  .action(async () => (await tests()).test("end-to-end", ["rehearsal"]));
program
  .command("test")
  .description("runs the tests: all of them, or one suite")
  .argument("[suite]", "unit, service or end-to-end")
  .argument("[files...]", "paths of unit tests, or names of end-to-end tests (test/end-to-end)")
  .action(async (suite: string | undefined, files: readonly string[]) =>
    (await tests()).test(suite, files),
  );

addOperations(program);
addInspect(program);
addExplain(program);
addProve(program);
addRun(program);
addDebug(program);

const sandboxCommand = addCommand(program, "sandbox").description(
  "Pulumi engine, Kubernetes, registry and builder on this machine",
);
sandboxCommand
  .command("up")
  .description("sets up what is missing and starts what does not run")
  .option("--ingress-port <port>", "port of the ingress controller on 127.0.0.1", port)
  .option("--registry-port <port>", "port of the registry on 127.0.0.1", port)
  .option("--kubeconfig <file>", "use this cluster instead of starting one")
  .option("--context <name>", "context in --kubeconfig")
  .option("--registry <name>", "use this registry instead of starting one")
  .action(async (given: Partial<Options>) => {
    const [{ options }, { stepsOfUp, up }, { sandboxRecord }, { assertNotOwn }] = await Promise.all(
      [
        import("../sandbox/layout"),
        sandbox(),
        import("../operations/doctor/record"),
        import("../sandbox/own-cluster/choice"),
      ],
    );
    assertNotOwn();
    const chosen = {
      ...options(),
      ...given,
      ...(given.kubeconfig === undefined ? {} : { kubeconfig: resolve(given.kubeconfig) }),
    };
    const took = await up(chosen, new Steps(stepsOfUp(chosen)), sandboxRecord());
    console.log(
      `The sandbox runs (started in ${duration(took)}). Next: eval "$(npm run --silent sandbox -- env)"`,
    );
  });
sandboxCommand
  .command("down")
  .description("stops the sandbox, and keeps its data")
  .action(async () => (await sandbox()).down());
sandboxCommand
  .command("status")
  .description("shows which daemons run, and which services answer")
  .action(async () => {
    const rows = await (await import("../sandbox/status")).status();
    for (const { what, state, good } of rows) {
      console.log(`${good ? " ok " : "FAIL"}  ${what.padEnd(28)} ${state}`);
    }
    process.exitCode = rows.every(({ good }) => good) ? 0 : 1;
  });
sandboxCommand
  .command("logs")
  .description("shows the end of each daemon's log, or of one daemon's log")
  .argument("[daemon]", "name as in status")
  .option("--lines <n>", "how many lines", Number, 20)
  .action(async (daemon: string | undefined, chosen: { lines: number }) => {
    (await import("../sandbox/logs")).printLogs(daemon, chosen);
  });
sandboxCommand
  .command("env")
  .description("prints environment variables for pulumi and kubectl; eval them in your shell")
  .action(async () => {
    const { localEnvironment } = await import("../sandbox/own-cluster/environment");
    for (const [name, value] of Object.entries(localEnvironment())) {
      console.log(`export ${name}=${quoted(value)}`);
    }
  });
sandboxCommand
  .command("reset")
  .description(
    "stops the sandbox and removes its cluster, registry and Pulumi state; keeps built parts",
  )
  .option("--everything", "remove the built parts too", false)
  .action(async ({ everything }: { everything: boolean }) => (await sandbox()).reset(everything));

// If the program that reads the output has closed its input, this process ends silently. For
// example, `head` closes its input in `... logs | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

program.parseAsync().catch((error: unknown) => {
  if (error instanceof UserError) {
    console.error(error.message);
  } else {
    console.error(error);
  }
  process.exitCode = 1;
});
