import * as pulumi from "@pulumi/pulumi";
import type { Checked } from "./validation";

/**
 * Wraps a program so that Pulumi prints an expected error without its stack trace.
 *
 * When a program throws an error, Pulumi prints the error's stack trace in colors. Some versions of
 * Node.js 20 need many seconds and gigabytes of memory to print a stack trace that contains
 * Pulumi's packages (https://github.com/nodejs/node/issues/64011). A CI container with less memory
 * ends without a message. An error that a person can fix needs no stack trace. The stack trace of
 * any other error becomes plain text.
 */
export function withCheapErrors<Args extends unknown[], Result>(
  program: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    try {
      return await program(...args);
    } catch (error) {
      throw cheap(error);
    }
  };
}

/**
 * Returns the error in a form that Pulumi prints quickly. Use this function also for errors in an
 * `apply`.
 */
export function cheap(error: unknown): Error {
  if (pulumi.RunError.isInstance(error)) return withoutStack(error);
  if (pulumi.ResourceError.isInstance(error) && error.hideStack === true) {
    return withoutStack(error);
  }
  // Node.js creates the text of a stack trace when code reads `stack` for the first time.
  process.setSourceMapsEnabled(true);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return withoutStack(new pulumi.RunError(`The program failed with an unexpected error:\n${text}`));
}

function withoutStack<Failure extends Error>(error: Failure): Failure {
  delete error.stack;
  Object.defineProperty(error, "stack", { configurable: true, value: undefined, writable: true });
  return error;
}

/**
 * Throws all issues of a component in one message, with one line for each issue. Call this function
 * before the component creates its first child, so that the program creates no child of a component
 * with wrong args.
 *
 * @throws pulumi.ResourceError, whose text Pulumi prints without a stack trace.
 */
export function assertValid(
  resource: pulumi.Resource,
  type: string,
  name: string,
  issues: readonly Checked[],
): void {
  const lines = issues
    .filter((issue) => issue !== undefined)
    .map(
      ({ arg, fix, got, rule }) =>
        `${type} "${name}": ${arg} must ${rule}, got ${JSON.stringify(got)}; ${fix}`,
    );
  if (lines.length > 0) throw new pulumi.ResourceError(lines.join("\n"), resource, true);
}
