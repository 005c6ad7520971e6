import { Argument, type Command } from "commander";
import type { RunOptions } from "../operations/run/command";
import { UserError } from "../lib/errors";
import { addCommand, leaving } from "./command";
import { stackNameOf, workspaceFor } from "./stack-argument";

/** Options of the command line. */
interface Options extends RunOptions {
  readonly line?: string;
}

/** Exit codes of a wrong command line, and of a failure before the service's command began. */
const [wrongUse, notBegun] = [2, 125];

/** Adds `npm run run`: runs one command of the service in a stack. */
export function addRun(program: Command): void {
  addCommand(program, "run")
    .description("runs one command of the service in a stack; its output goes to standard output")
    .argument("<stack>", "local, staging, prod, review-<slug>, or review for this branch")
    .addArgument(
      new Argument("[command...]", "after --: the command, such as export --since 1d --format csv"),
    )
    .option("--deadline <time>", "end the command after this time: 30m, 2h", "1h")
    .option(
      "--line <text>",
      "the command as one text with spaces between its arguments, for a pipeline",
    )
    .option("--output <file>", "write the output into this file; it is there only if complete")
    .option("--reason <text>", "why, for whoever looks at the Job; production needs it")
    .option("--follow <job>", "follow a command that already runs, from the start of its output")
    .option("--preview <file>", "write what would run, for an approval, and stop")
    .option("--approved <file>", "stop if the command is not the one in this preview")
    .option("--yes", "do not ask for confirmation")
    .addHelpText(
      "after",
      "\nExit codes: that of the command; 125 if it did not begin or its output is not complete; 2 wrong use.",
    )
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : wrongUse))
    .action(async (stack: string, args: readonly string[], options: Options) => {
      if (options.output === undefined && bannerInOutput()) {
        console.error(
          "npm prints its own first lines into the output. Run: npm run --silent run -- ..., or add --output FILE. Nothing was changed.",
        );
        process.exitCode = wrongUse;
        return;
      }
      try {
        await leaving(async () => {
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

/**
 * Whether npm has already printed the script's name and command line into a file or a pipe. npm
 * does not print them with `--silent`.
 */
function bannerInOutput(): boolean {
  const { npm_config_loglevel: level, npm_lifecycle_event: script } = process.env;
  return script === "run" && level !== "silent" && !process.stdout.isTTY;
}
