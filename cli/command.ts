import type { Command } from "commander";
import { reports } from "../lib/reports";

/**
 * Adds a command. npm passes only the options after `--` to a script, so the help shows the command
 * as `NAME --`.
 */
export function addCommand(program: Command, name: string): Command {
  return program.command(name).name(`${name} --`).alias(name);
}

/**
 * Returns an action that runs `work` and then writes the command's result into the reports. So
 * Slack messages and CircleCI's test results can say why the command failed.
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
