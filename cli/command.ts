import type { Command } from "commander";
import { reports } from "../lib/reports";

/**
 * Adds a command. npm passes options on only after `--`, so that is how the command is named in its
 * help.
 */
export function addCommand(program: Command, name: string): Command {
  return program.command(name).name(`${name} --`).alias(name);
}

/** The pipeline's messages include the cause of a failure. */
export function leaving<Args extends unknown[]>(
  work: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => reports.leavingCause(async () => work(...args));
}
