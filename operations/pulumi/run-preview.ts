import { UserError } from "../../lib/errors";
import { type Workspace, plainLines, policyOptions, runPulumi } from "./run-pulumi";

/** Timeout of a preview, in milliseconds. */
const LIMIT_MS = 15 * 60_000;

export interface PreviewRun {
  /**
   * `runPreview` calls this function when Pulumi prints its first line. By this time, Pulumi has
   * read the state.
   */
  readonly began?: () => void;
  readonly workspace: Workspace;
  /**
   * Signal that kills Pulumi. The kill is safe, because a preview changes nothing and holds no
   * lock.
   */
  readonly signal?: AbortSignal;
  /** Stream that receives the engine's output while the engine runs. */
  readonly to: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stack: string;
}

export interface PreviewOutput {
  readonly exitCode: number;
  /** The event log: one JSON object in each line. */
  readonly log: string;
  /** The engine's output, including colours. */
  readonly printed: string;
}

/**
 * Runs `pulumi preview --diff` once, and shows Pulumi's output while the preview runs. The engine
 * writes its events to a separate file. A preview changes nothing, takes no lock, and does not
 * print the values of Pulumi secrets.
 *
 * @throws UserError if Pulumi is not installed, or if the preview takes more than 15 minutes.
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
  const options = [...plainLines(workspace, to), ...policyOptions(workspace)];
  const args = ["preview", "--diff", "--stack", stack, ...options];
  const ended = await runPulumi(args, workspace, {
    attach: (child) => {
      // This timer replaces the option `timeout` of `spawn`, because the timer of that option
      // continues to run even if Pulumi could not start.
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
      `the signal ${ended.signal} ended the preview. A preview may take at most ${String(LIMIT_MS / 60_000)} minutes`,
    );
  }
  return { exitCode: ended.code ?? 1, log: ended.log, printed };
}
