import { execa, ExecaError } from "execa";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { UserError, messageOf } from "./errors";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Whether the program gets the environment variables of this process, in addition to `env`.
   * @default true
   */
  readonly extendEnv?: boolean;
  /** File to which `command` appends everything that the program prints. */
  readonly log?: string;
  /**
   * `command` calls this function while the program runs, with a recent line of the program's
   * output, for example to show the progress.
   */
  readonly onLine?: (line: string) => void;
  /**
   * `command` calls this function with the process id when the program has started. When the
   * program has ended, `command` calls the returned function with the signal that ended the
   * program. The signal is null if the program ended by itself.
   */
  readonly onStart?: (pid: number) => (signal: NodeJS.Signals | null) => Promise<void> | void;
  /** Signal with which the caller can end the program early. `command` then throws an error. */
  readonly cancelSignal?: AbortSignal;
  /**
   * Signal that ends the program at the timeout. Use SIGKILL only for a program that only reads.
   * @default "SIGTERM"
   */
  readonly killSignal?: "SIGKILL" | "SIGTERM";
  /** Timeout in milliseconds. The default is one hour. */
  readonly timeout?: number;
  readonly input?: string;
  /**
   * A program and its arguments, which come before `file` on the command line. This program starts
   * `file`. Error messages do not mention this program.
   */
  readonly through?: readonly string[];
}

/**
 * Runs a program without a shell, and returns its standard output.
 *
 * @throws CommandError if the program fails. The message ends with the last lines of the program's
 * output, which usually contain the cause.
 */
export async function command(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { log, onLine, through = [], ...execaOptions } = options;
  const [started, ...all] = [...through, file, ...args];
  const child = execa(started ?? file, all, {
    all: true,
    maxBuffer: 64 * 1024 * 1024,
    stdin: options.input === undefined ? "ignore" : "pipe",
    timeout: 3_600_000,
    ...execaOptions,
  });
  if (log !== undefined) {
    mkdirSync(dirname(log), { recursive: true });
    child.all.pipe(createWriteStream(log, { flags: "a" }));
  }
  if (onLine !== undefined) {
    child.all.on("data", (chunk: Buffer) => {
      const line = chunk.toString("utf8").trimEnd().split("\n").at(-1)?.trim();
      if (line !== undefined && line !== "") {
        onLine(line.slice(0, 120));
      }
    });
  }
  const whenEnded = child.pid === undefined ? undefined : options.onStart?.(child.pid);
  try {
    return (await child).stdout;
  } catch (error) {
    throw error instanceof ExecaError ? new CommandError(file, args, error as ExecaError) : error;
  } finally {
    await whenEnded?.(child.signalCode);
  }
}

/**
 * Error about a program that could not start, reached its timeout, was ended by a signal, or ended
 * with an exit code other than 0.
 */
export class CommandError extends UserError {
  readonly exitCode: number | undefined;
  /** Everything that the program printed. */
  readonly output: string;
  /** Why the program failed, as one line without a full stop at the end. */
  readonly reason: string;

  constructor(file: string, args: readonly string[], cause: ExecaError) {
    const output = typeof cause.all === "string" ? cause.all : "";
    const shown = [file, ...args].join(" ").slice(0, 200);
    const end = cause.timedOut
      ? "ran out of time"
      : cause.exitCode === undefined
        ? cause.originalMessage
        : `ended with exit code ${String(cause.exitCode)}`;
    const tail = output.trimEnd().split("\n").slice(-25).join("\n");
    super(`"${shown}" ${end}${tail === "" ? "" : `; its last lines:\n${tail}`}`);
    this.exitCode = cause.exitCode;
    this.output = output;
    const said = typeof cause.stderr === "string" ? lastLine(cause.stderr) : undefined;
    this.reason = cause.timedOut
      ? "no answer in time"
      : cause.code === "ENOENT"
        ? `${file}: not on the PATH`
        : (said ?? lastLine(output) ?? "it failed without a message");
  }
}

/**
 * Returns why something failed: one line about a failed program, or the message of any other error.
 */
export function reasonOf(error: unknown): string {
  return error instanceof CommandError ? error.reason : messageOf(error);
}

function lastLine(text: string): string | undefined {
  const line = text
    .split("\n")
    .map((part) => part.trim())
    .findLast((part) => part !== "");
  return line?.replace(/^error: /, "").replace(/[.?!]+$/, "");
}
