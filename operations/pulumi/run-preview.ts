import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../lib/errors";
import { type Engine, policyOptions, pulumiEnv, variables } from "./engine";

/** The longest that a preview may take. */
const LIMIT_MS = 15 * 60_000;

export interface EngineRun {
  /** Called when Pulumi has read the state: then it prints its first line. */
  readonly began?: () => void;
  readonly engine: Engine;
  /** Ends the engine at once: it changes nothing and holds nothing. */
  readonly signal?: AbortSignal;
  /** Where the engine's own output goes while it runs. */
  readonly to: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stack: string;
}

export interface EngineResult {
  readonly exitCode: number;
  /** The event log: one JSON object in each line. */
  readonly log: string;
  /** What the engine printed, colours included. */
  readonly printed: string;
}

function argumentsFor({ engine, stack, to }: EngineRun, eventLog: string): readonly string[] {
  const coloured = to.isTTY === true && (variables(engine)["NO_COLOR"] ?? "") === "";
  return [
    "preview",
    "--diff",
    "--non-interactive",
    ...["--stack", stack],
    ...["--event-log", eventLog],
    ...["--color", coloured ? "always" : "never"],
    ...policyOptions(engine),
  ];
}

/**
 * Runs `pulumi preview --diff` once: a person sees it as it comes, and the engine writes its events to a file
 * beside it. It changes nothing, takes no lock, and prints no secret.
 *
 * @throws UserError where there is no Pulumi, or it took longer than a quarter of an hour.
 */
export async function runEngine(run: EngineRun): Promise<EngineResult> {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-preview-"));
  const eventLog = join(directory, "events.json");
  const remove = (): void => {
    rmSync(directory, { force: true, recursive: true });
  };
  process.once("exit", remove);
  try {
    const { code, printed } = await printing(run, argumentsFor(run, eventLog));
    return {
      exitCode: code,
      log: existsSync(eventLog) ? readFileSync(eventLog, "utf8") : "",
      printed,
    };
  } finally {
    remove();
    process.off("exit", remove);
  }
}

async function printing(
  { began, engine, signal, to }: EngineRun,
  args: readonly string[],
): Promise<{ readonly code: number; readonly printed: string }> {
  const child = spawn("pulumi", args, {
    cwd: engine.cwd,
    // The option that writes the events is one of those that Pulumi shows to its own tools only.
    env: { ...process.env, ...pulumiEnv(engine), PULUMI_DEBUG_COMMANDS: "true" },
    killSignal: "SIGKILL",
    ...(signal === undefined ? {} : { signal }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Not spawn's own limit: that one goes on counting where there was nothing to start.
  const limit = setTimeout(() => child.kill("SIGTERM"), LIMIT_MS);
  // Ctrl-C reaches Pulumi by itself; a signal to this process alone is passed on.
  const stop = (): boolean => child.kill("SIGTERM");
  process.once("SIGTERM", stop);
  let printed = "";
  const pass = (chunk: string): void => {
    printed += chunk;
    to.write(chunk);
  };
  if (began !== undefined) child.stdout.once("data", began);
  child.stdout.setEncoding("utf8").on("data", pass);
  child.stderr.setEncoding("utf8").on("data", pass);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) => {
        reject(
          error.code === "ENOENT"
            ? new UserError(
                'there is no pulumi on the PATH; on a laptop: eval "$(npm run --silent sandbox -- env)"',
              )
            : error,
        );
      });
      child.once("close", (code, signal) => {
        if (signal === null) {
          resolve({ code: code ?? 1, printed });
        } else {
          reject(
            new UserError(
              `the preview was stopped by ${signal}; it may take at most ${String(LIMIT_MS / 60_000)} minutes`,
            ),
          );
        }
      });
    });
  } finally {
    clearTimeout(limit);
    process.off("SIGTERM", stop);
  }
}
