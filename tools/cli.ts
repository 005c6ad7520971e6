import { Command, InvalidArgumentError, Option } from "commander";
import { resolve } from "node:path";
import type { PreviewOptions } from "../operations/preview/command";
import { bench } from "./bench";
import { buildService } from "./build";
import { check } from "./check";
import { down, up } from "./local";
import { duration, Steps, UserError } from "./progress";
import { options, type Options } from "./sandbox/layout";
import { environment } from "./sandbox/environment";
import { printLogs } from "./sandbox/logs";
import * as sandbox from "./sandbox/sandbox";
import { status } from "./sandbox/status";
import { test } from "./test";

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1024 || value > 65_535) {
    throw new InvalidArgumentError("a port is a whole number from 1024 to 65535");
  }
  return value;
}

const program = new Command("npm run").description("Ships services-orders to Kubernetes");

program
  .command("up")
  .description("from a clean clone to the running service, on a sandbox on this machine")
  .action(up);
program.command("down").description("destroys stack local, then stops the sandbox").action(down);
program
  .command("build")
  .description("builds the service's jars with Maven")
  .action(async () => {
    await new Steps(1).step("Service: Java code to jars (Maven)", async (report) => {
      console.log(`      ${await buildService(report)}`);
    });
  });
program.command("check").description("types, lint and format").action(check);
program
  .command("reference")
  .description("writes docs/reference from the code")
  .action(async () => {
    // TypeDoc takes a second to load, which no other command should wait for.
    const { reference } = await import("./reference");
    await reference();
  });
program
  .command("preview")
  .name("preview --")
  .alias("preview")
  .description(
    "what the code here would change in a stack, and what that does to the running service",
  )
  .argument("<stack>", "local, review-<slug>, staging, prod or prod-canary")
  .addOption(
    new Option("--format <format>", "of the summary")
      .choices(["text", "markdown", "json"])
      .default("text"),
  )
  .option("--output <file>", "where the summary goes, instead of standard output")
  .option("--comment", "writes it into the pull request's one comment")
  .option("--save-plan <file>", "keeps what would change, for deploy to hold itself to")
  .option("--detailed-exitcode", "0 nothing changes, 2 changes, 3 dangerous ones, 1 it failed")
  .action(async (stack: string, options: PreviewOptions) => {
    const { preview } = await import("../operations/preview/command");
    await preview(stack, options);
  });
program.command("bench").description("measures previews, memory and CPU requests").action(bench);
program
  .command("test")
  .description("runs the tests: all of them, or one suite")
  .argument("[suite]", "unit, service or sandbox")
  .action(test);

// npm passes options on only after `--`, so that is how the commands are named in their help.
const box = program
  .command("sandbox")
  .name("sandbox --")
  .alias("sandbox")
  .description("Pulumi engine, Kubernetes, registry and builder on this machine");
box
  .command("up")
  .description("sets up what is missing and starts what does not run")
  .option("--ingress-port <port>", "port of the ingress controller on 127.0.0.1", port)
  .option("--registry-port <port>", "port of the registry on 127.0.0.1", port)
  .option("--kubeconfig <file>", "use this cluster instead of starting one")
  .option("--context <name>", "context in --kubeconfig")
  .option("--registry <name>", "use this registry instead of starting one")
  .action(async (given: Partial<Options>) => {
    const chosen = {
      ...options(),
      ...given,
      ...(given.kubeconfig === undefined ? {} : { kubeconfig: resolve(given.kubeconfig) }),
    };
    const took = await sandbox.up(chosen, new Steps(sandbox.stepsOfUp(chosen)));
    console.log(
      `The sandbox runs (started in ${duration(took)}). Next: eval "$(npm run --silent sandbox -- env)"`,
    );
  });
box.command("down").description("stops exactly what was started; data stay").action(sandbox.down);
box
  .command("status")
  .description("what runs and answers")
  .action(async () => {
    const rows = await status();
    for (const { what, state, good } of rows) {
      console.log(`${good ? " ok " : "FAIL"}  ${what.padEnd(28)} ${state}`);
    }
    process.exitCode = rows.every(({ good }) => good) ? 0 : 1;
  });
box
  .command("logs")
  .description("the end of each daemon's log, or of one")
  .argument("[daemon]", "name as in status")
  .option("--lines <n>", "how many lines", Number, 20)
  .action(printLogs);
box
  .command("env")
  .description("what a shell needs so that plain pulumi and kubectl work: eval the output")
  .action(() => {
    for (const [name, value] of Object.entries(environment())) {
      console.log(`export ${name}='${value.replaceAll("'", "'\\''")}'`);
    }
  });
box
  .command("reset")
  .description(
    "stops the sandbox and removes its cluster, registry and Pulumi state; built parts stay",
  )
  .option("--everything", "removes the built parts too", false)
  .action(async ({ everything }: { everything: boolean }) => sandbox.reset(everything));

// Whoever reads the output may have seen enough, as in `... logs | head`.
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
