import type { Command } from "commander";
import { reports } from "../lib/reports";

/**
 * Adds a command. npm passes options on only after `--`, so that is how the command is named in its
 * help.
 */
export function addCommand(program: Command, name: string): Command {
  return program.command(name).name(`${name} --`).alias(name);
}

/** The pipeline's messages and its tab of tests include the cause of a failure. */
export function leaving<Args extends unknown[]>(
  work: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  const [name = "", ...given] = process.argv.slice(2);
  const command = ["npm run", name, ...(given.length === 0 ? [] : ["--", ...given])].join(" ");
  return async (...args) => reports.leavingCause(command, async () => work(...args));
}
