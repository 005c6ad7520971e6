import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { project } from "../../lib/project";
import { UserError } from "../../lib/errors";
import { isLocked, type LockWait, untilUnlocked } from "./lock-wait";
import { lastWords, readEvents } from "./events";
import { reports } from "../../lib/reports";

/** Where Pulumi runs, and with which variables beside those of this process. */
export interface Engine {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** How long another update of the same stack is waited for. */
  readonly lockWait?: LockWait;
}

/** Pulumi as the shell has it, on the project that is here. */
export const ambient: Engine = { cwd: project, env: {} };

/** The engine with more variables, as the release that a stack is to run. */
export function withEnv(engine: Engine, env: Readonly<Record<string, string>>): Engine {
  return { ...engine, env: { ...engine.env, ...env } };
}

/** Variables of the process and of the engine: what the program will see. */
export function variables(engine: Engine): Readonly<Record<string, string | undefined>> {
  return { ...process.env, ...engine.env };
}

/**
 * Without a stack's file Pulumi would begin to encrypt with another key: the state knows the right one.
 */
const always = { PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true" };

/** Policies are checked wherever the project has them. */
export function policyPacks({ cwd }: Engine): readonly string[] {
  return existsSync(join(cwd, "policy", "PulumiPolicy.yaml")) ? ["policy"] : [];
}

/** The same as options of the command line. */
export function policyOptions(engine: Engine): readonly string[] {
  return policyPacks(engine).flatMap((pack) => ["--policy-pack", pack]);
}

/** Variables for Pulumi, for who starts it in another way. */
export function pulumiEnv(engine: Engine): Record<string, string> {
  return { ...always, ...engine.env };
}

/**
 * Changes a stack by Pulumi (`up`, `destroy`), with its own output and progress on the person's terminal. Another update of the stack is
 * waited for. What Pulumi names as errors is kept for who reads the report and not the terminal.
 *
 * @param before - looks at the stack right before each try: an update that was waited for has changed it.
 * @throws UserError when it fails.
 */
export async function onTerminal(
  args: readonly string[],
  engine: Engine = ambient,
  before: () => Promise<void> = async () => Promise.resolve(),
): Promise<void> {
  await untilUnlocked(async () => {
    await before();
    await onTerminalOnce(args, engine);
  }, engine.lockWait);
}

async function onTerminalOnce(args: readonly string[], engine: Engine): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-update-"));
  const eventLog = join(directory, "events.json");
  try {
    const { code, stderr } = await spawned([...args, "--event-log", eventLog], engine);
    if (code === 0) return;
    if (isLocked(stderr)) throw new UserError(stderr.trim());
    const log = existsSync(eventLog) ? readFileSync(eventLog, "utf8") : "";
    for (const cause of causesOf(log, stderr)) reports.addCause(cause);
  } finally {
    rmSync(directory, { force: true, recursive: true });
  }
  throw new UserError(
    `pulumi ${args[0] ?? ""} failed: what it says is above; mend it and run the command again`,
  );
}

/** Why it failed: the engine's errors and refused policies, or, where it did not get that far, what it said last. */
function causesOf(log: string, stderr: string): readonly string[] {
  const { errors, refused } = readEvents(log);
  const found = [...errors, ...refused].map(({ message }) => message);
  const all = found.length === 0 ? [lastWords(stderr)] : found;
  return [...new Set(all)].filter((cause) => cause !== "");
}

/**
 * A signal that ends this process is passed on, and Pulumi is waited for: killed, it would leave its lock behind. Its standard output is
 * the person's terminal itself, and goes on where this process is killed; only errors come through here.
 */
async function spawned(
  args: readonly string[],
  engine: Engine,
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const interactive = process.stdout.isTTY ? [] : ["--non-interactive"];
  const child = spawn("pulumi", [...args, ...interactive], {
    cwd: engine.cwd,
    stdio: ["inherit", "inherit", "pipe"],
    // The option that writes the events is one of those that Pulumi shows to its own tools only.
    env: { ...process.env, ...pulumiEnv(engine), PULUMI_DEBUG_COMMANDS: "true" },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
    // Who waits for a lock says so itself.
    if (!isLocked(stderr)) process.stderr.write(chunk);
  });
  // Ctrl-C reaches Pulumi by itself, in the terminal's foreground group.
  const wait = (): void => undefined;
  const passOn = (): void => void child.kill("SIGTERM");
  process.on("SIGINT", wait);
  process.on("SIGTERM", passOn);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    }).catch((error: unknown) => {
      throw missing(error) ?? error;
    });
    return { code, stderr };
  } finally {
    process.off("SIGINT", wait);
    process.off("SIGTERM", passOn);
  }
}

/** Asks Pulumi something; 2 minutes at most. */
export async function ask(args: readonly string[], engine: Engine = ambient): Promise<string> {
  // Loaded only here: a preview should not wait for it.
  const { command } = await import("../../lib/command");
  return command("pulumi", ["--non-interactive", ...args], {
    cwd: engine.cwd,
    env: pulumiEnv(engine),
    timeout: 120_000,
  });
}

/** Asks Pulumi something that it answers in JSON. */
export async function askJson(args: readonly string[], engine: Engine = ambient): Promise<unknown> {
  return JSON.parse(await ask([...args, "--json"], engine));
}

function missing(error: unknown): UserError | undefined {
  return (error as NodeJS.ErrnoException).code === "ENOENT"
    ? new UserError(
        'pulumi is not on the PATH: install it, or for the sandbox run: eval "$(npm run --silent sandbox -- env)"',
      )
    : undefined;
}
