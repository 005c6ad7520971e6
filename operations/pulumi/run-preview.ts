import { UserError } from "../../lib/errors";
import { type Workspace, policyOptions, runPulumi, variables } from "./run-pulumi";

/** Longest time that a preview may take. */
const LIMIT_MS = 15 * 60_000;

export interface PreviewRun {
  /** Called when Pulumi prints its first line. It has then read the state. */
  readonly began?: () => void;
  readonly workspace: Workspace;
  /** Ends the engine immediately: it changes nothing and holds no lock. */
  readonly signal?: AbortSignal;
  /** Where the engine's own output goes while it runs. */
  readonly to: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stack: string;
}

export interface PreviewOutput {
  readonly exitCode: number;
  /** The event log: one JSON object in each line. */
  readonly log: string;
  /** What the engine printed, colours included. */
  readonly printed: string;
}

/**
 * Runs `pulumi preview --diff` once. Its output is shown while it runs, and the engine writes its
 * events to a separate file. It changes nothing, takes no lock, and prints no secret.
 *
 * @throws UserError if Pulumi is not installed, or takes longer than a quarter of an hour.
 */
export async function runPreview({
  began,
  workspace,
  signal,
  stack,
  to,
}: PreviewRun): Promise<PreviewOutput> {
  let printed = "";
  const pass = (chunk: string): void => {
    printed += chunk;
    to.write(chunk);
  };
  let limit: NodeJS.Timeout | undefined;
  const coloured = to.isTTY === true && (variables(workspace)["NO_COLOR"] ?? "") === "";
  const color = ["--color", coloured ? "always" : "never", ...policyOptions(workspace)];
  const args = ["preview", "--diff", "--non-interactive", "--stack", stack, ...color];
  const ended = await runPulumi(args, workspace, {
    attach: (child) => {
      // Not spawn's own timeout: it continues even if the program could not be started.
      limit = setTimeout(() => child.kill("SIGTERM"), LIMIT_MS);
      if (began !== undefined) child.stdout?.once("data", began);
      child.stdout?.setEncoding("utf8").on("data", pass);
      child.stderr?.setEncoding("utf8").on("data", pass);
    },
    signal,
    stdio: ["ignore", "pipe", "pipe"],
  }).finally(() => {
    clearTimeout(limit);
  });
  if (ended.signal !== null) {
    throw new UserError(
      `the preview was stopped by ${ended.signal}; it may take at most ${String(LIMIT_MS / 60_000)} minutes`,
    );
  }
  return { exitCode: ended.code ?? 1, log: ended.log, printed };
}
