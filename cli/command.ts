import type { Command } from "commander";
import { WrongUse } from "../lib/errors";
import { reports } from "../lib/reports";

/** Exit code if the arguments of a command are wrong. Exit code 1 means that the command failed. */
export const wrongUse = 2;

/**
 * Ends this process when commander exits. The exit code is {@link wrongUse} after an error in the
 * arguments, and 0 after `--help`.
 */
export function exitWithWrongUse({ exitCode }: { readonly exitCode: number }): never {
  process.exit(exitCode === 0 ? 0 : wrongUse);
}

/**
 * Adds a command. npm passes only the options after `--` to a script, so the help shows the command
 * as `NAME --`.
 */
export function addCommand(program: Command, name: string): Command {
  return program.command(name).name(`${name} --`).alias(name);
}

/**
 * Returns an action that runs `work`, and then writes the command's result into `test-results/`. If
 * `work` fails, the action also writes the causes into `reports/`. Slack messages and the test
 * results in CircleCI show these causes.
 */
export function leaving<Args extends unknown[]>(
  work: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const [name = "", ...given] = process.argv.slice(2);
    const command = ["npm run", name, ...(given.length === 0 ? [] : ["--", ...given])].join(" ");
    await reports.leavingCause(command, async () => work(...args));
  };
}

/**
 * Returns an action that runs `work`. If `work` throws a {@link WrongUse}, the action prints the
 * error's message, and the exit code is {@link wrongUse}.
 */
export function printingWrongUse<Args extends unknown[]>(
  work: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      await work(...args);
    } catch (error) {
      if (!(error instanceof WrongUse)) throw error;
      console.error(error.message);
      process.exitCode = wrongUse;
    }
  };
}

/** Returns an action that does the work of {@link printingWrongUse} and of {@link leaving}. */
export function refusingWrongUse<Args extends unknown[]>(
  work: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return leaving(printingWrongUse(work));
}

/**
 * Whether npm has already printed a script's name and command line into a file or a pipe. With
 * `--silent`, npm does not print these two lines.
 */
export function bannerInOutput(script: string): boolean {
  const { npm_config_loglevel: level, npm_lifecycle_event: started } = process.env;
  return started === script && level !== "silent" && !process.stdout.isTTY;
}
