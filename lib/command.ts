import { execa, ExecaError } from "execa";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "./errors";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the program also gets the variables of this process. @default true */
  readonly extendEnv?: boolean;
  /** File that keeps everything the command prints. */
  readonly log?: string;
  /** Called with each line that the command prints. */
  readonly onLine?: (line: string) => void;
  /**
   * Called with the program's process id. It returns a function, which runs when the program has
   * ended.
   */
  readonly onStart?: (pid: number) => (signal: NodeJS.Signals | null) => Promise<void> | void;
  /** Ends the program early, with an error. */
  readonly cancelSignal?: AbortSignal;
  /**
   * Signal that ends the program when time is up; SIGKILL for a program that changes nothing.
   * @default "SIGTERM"
   */
  readonly killSignal?: "SIGKILL" | "SIGTERM";
  /** Limit in milliseconds; the default is one hour. */
  readonly timeout?: number;
  readonly input?: string;
  /** Program, and its first arguments, that starts this one. An error does not name it. */
  readonly through?: readonly string[];
}

/**
 * Runs a program (never a shell), and returns its standard output. When the program fails, the
 * error ends with the last lines that it printed, because they contain the cause.
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

/** A program that exited with a code other than 0, could not be started, or ran out of time. */
export class CommandError extends UserError {
  readonly exitCode: number | undefined;
  /** Everything the program printed. */
  readonly output: string;
  /** Why it did not answer, as one line without its last full stop. */
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

function lastLine(text: string): string | undefined {
  const line = text
    .split("\n")
    .map((part) => part.trim())
    .findLast((part) => part !== "");
  return line?.replace(/^error: /, "").replace(/[.?!]+$/, "");
}
