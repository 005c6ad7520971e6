import { Argument, type Command } from "commander";
import type { RunOptions } from "../operations/run/command";
import { UserError } from "../lib/errors";
import {
  addCommand,
  bannerInOutput,
  exitWithWrongUse,
  refusingWrongUse,
  wrongUse,
} from "./command";
import { stackNameOf, workspaceFor } from "./stack-argument";

/** Options of the command line. */
interface Options extends RunOptions {
  readonly line?: string;
}

/** Exit code if the service's command did not start, or if its output is not complete. */
const notBegun = 125;

/** Adds `npm run run`: runs one command of the service in a stack. */
export function addRun(program: Command): void {
  addCommand(program, "run")
    .description("runs one command of the service in a stack, and prints the output of the command")
    .argument("<stack>", "local, staging, prod, review-<slug>, or review for this branch")
    .addArgument(
      new Argument("[command...]", "after --: the command, such as export --since 1d --format csv"),
    )
    .option("--deadline <time>", "stop the command after this time, at most 24h", "1h")
    .option(
      "--line <text>",
      "the command as one text with spaces between the arguments, for use in a pipeline",
    )
    .option(
      "--output <file>",
      "write the output into this file; the file exists only if the output is complete",
    )
    .option("--reason <text>", "reason, which becomes an annotation of the Job; required for prod")
    .option("--follow <job>", "get the complete output of a command that already runs")
    .option("--preview <file>", "write the command into this file for an approval, and stop")
    .option(
      "--approved <file>",
      "stop if the command, the deadline or the reason differs from this file of --preview",
    )
    .option("--yes", "do not ask for confirmation")
    .addHelpText(
      "after",
      "\nExit codes: the exit code of the command; 2 for wrong arguments;\n125 if the command did not begin, or if the output is not complete.",
    )
    .exitOverride(exitWithWrongUse)
    .action(async (stack: string, args: readonly string[], options: Options) => {
      if (options.output === undefined && bannerInOutput("run")) {
        console.error(
          "npm writes its own first lines into the output. Use npm run --silent run -- ..., or add --output FILE. Nothing was changed.",
        );
        process.exitCode = wrongUse;
        return;
      }
      try {
        await refusingWrongUse(async () => {
          const { run } = await import("../operations/run/command");
          const name = await stackNameOf(stack);
          const words = (options.line ?? "").split(/\s+/).filter((word) => word !== "");
          await run(name, [...words, ...args], options, await workspaceFor(name));
        })();
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        console.error(error.message);
        process.exitCode = notBegun;
      }
    });
}
