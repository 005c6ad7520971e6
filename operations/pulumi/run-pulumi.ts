import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandOptions } from "../../lib/command";
import { withoutSecrets } from "../../components/conventions/secrets/masked";
import { service } from "../../config/service";
import { project } from "../../lib/project";
import { UserError } from "../../lib/errors";
import { engineEnvironment, stackIn, updateEnvironment } from "./engine-environment";
import { fieldConflicts } from "./field-managers";
import { circleciJob } from "../locks/circleci-job";
import type { Recording } from "../locks/job-record";
import type { StateOfProject } from "../clients/state-objects";
import { isLocked, type LockWait, untilUnlocked } from "./lock-wait";
import { errorsIn, readEvents, UpdateError } from "./events";
import { rememberStarted } from "./started-processes";
import { removeTornFiles } from "./torn-files";
import { reports } from "../../lib/reports";

/**
 * The working directory in which Pulumi runs, and environment variables in addition to those of
 * this process.
 *
 * @see https://www.pulumi.com/docs/iac/automation-api/concepts-terminology/#workspace
 */
export interface Workspace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** How long a command waits for another update of the same stack. */
  readonly lockWait?: LockWait;
}

/** The workspace of this project, with no additional environment variables. */
export const defaultWorkspace: Workspace = { cwd: project, env: {} };

/** Returns a workspace with more environment variables, such as the release to deploy. */
export function withEnv(workspace: Workspace, env: Readonly<Record<string, string>>): Workspace {
  return { ...workspace, env: { ...workspace.env, ...env } };
}

/** Returns the environment variables of this process and, in addition, those of the workspace. */
export function variables(workspace: Workspace): Readonly<Record<string, string | undefined>> {
  return { ...process.env, ...workspace.env };
}

/** Returns Pulumi's options for the policy pack. Empty if the project has no policy pack. */
export function policyOptions({ cwd }: Workspace): readonly string[] {
  return existsSync(join(cwd, "policy", "PulumiPolicy.yaml")) ? ["--policy-pack", "policy"] : [];
}

/**
 * Returns the options that make Pulumi print plain lines, on a terminal and in a file. Pulumi's
 * table for terminals would mix with the lines of our commands, and would cut a long status, such
 * as the reason why a pod is not ready.
 */
export function plainLines(
  workspace: Workspace,
  to: { readonly isTTY?: boolean } = process.stdout,
): readonly string[] {
  const colored = to.isTTY === true && (variables(workspace)["NO_COLOR"] ?? "") === "";
  return ["--non-interactive", "--suppress-progress", "--color", colored ? "always" : "never"];
}

/**
 * Returns the directory, the environment variables and the state backend of a Pulumi project. The
 * functions that read and remove locks need these values.
 */
export function stateOfProject(workspace: Workspace): StateOfProject {
  const { cwd, env } = workspace;
  return { backendUrl: variables(workspace)["PULUMI_BACKEND_URL"] ?? "", cwd, env };
}

/**
 * Runs `work`, which takes a stack's lock. Waits while another update holds the lock. In CircleCI,
 * removes the lock that an ended job of the same serial group has left.
 *
 * @throws what `work` throws.
 */
export async function whenUnlocked<Result>(
  stack: string,
  workspace: Workspace,
  work: () => Promise<Result>,
): Promise<Result> {
  return untilUnlocked(work, workspace.lockWait, async () => {
    const job = circleciJob(variables(workspace));
    if (job === undefined) return false;
    const { takeOver } = await import("../locks/take-over");
    return takeOver(stack, job, stateOfProject(workspace));
  });
}

/**
 * Records of a running Pulumi process: a file on this machine and, in a CircleCI job, an object in
 * S3.
 */
interface Remembering extends Pick<Recording, "through"> {
  readonly onStart: (pid: number) => Recording["ended"];
}

async function remembering(args: readonly string[], workspace: Workspace): Promise<Remembering> {
  const job = circleciJob(variables(workspace));
  const state = stateOfProject(workspace);
  const recording =
    // Only a command in a CircleCI job loads this module, so other commands start faster.
    job && (await import("../locks/job-record")).recordingOf(args, job, state);
  return {
    onStart: (pid) => {
      const forget = rememberStarted(pid, args, state.backendUrl);
      return async (signal) => {
        forget(signal);
        await recording?.ended(signal);
      };
    },
    through: recording?.through ?? [],
  };
}

function pulumiEnv(args: readonly string[], workspace: Workspace): Record<string, string> {
  return { ...engineEnvironment(stackIn(args), variables(workspace)), ...workspace.env };
}

/** Result of a Pulumi process: its exit code or signal, and its events. */
interface Ended {
  readonly code: number | null;
  /** The event log: one JSON object in each line. */
  readonly log: string;
  readonly signal: NodeJS.Signals | null;
}

interface Running {
  /**
   * `runPulumi` starts Pulumi, and then calls this function with the process. For example, the
   * function reads Pulumi's output.
   */
  readonly attach: (child: ChildProcess) => void;
  /** Signal that makes `runPulumi` kill Pulumi immediately. */
  readonly signal?: AbortSignal | undefined;
  readonly stdio: StdioOptions;
}

/**
 * Runs a Pulumi command that runs the Pulumi program, and returns the command's result with the
 * event log. The function forwards a SIGTERM to Pulumi and waits until Pulumi ends, because a
 * killed Pulumi leaves its lock. On Ctrl-C, the terminal sends SIGINT to Pulumi directly, because
 * Pulumi is in the terminal's foreground process group.
 *
 * @throws UserError if Pulumi is not installed.
 */
export async function runPulumi(
  args: readonly string[],
  workspace: Workspace,
  { attach, signal, stdio }: Running,
): Promise<Ended> {
  const directory = mkdtempSync(join(tmpdir(), `${service}-pulumi-`));
  const eventLog = join(directory, "events.json");
  const remove = (): void => {
    rmSync(directory, { force: true, recursive: true });
  };
  process.once("exit", remove);
  const { onStart, through } = await remembering(args, workspace);
  const [file, ...rest] = [...through, "pulumi", ...args, "--event-log", eventLog];
  const child = spawn(file, rest, {
    cwd: workspace.cwd,
    // Pulumi accepts the option `--event-log` only with this variable.
    env: { ...process.env, ...pulumiEnv(args, workspace), PULUMI_DEBUG_COMMANDS: "true" },
    killSignal: "SIGKILL",
    ...(signal && { signal }),
    stdio,
  });
  const passOn = (): void => void child.kill("SIGTERM");
  process.on("SIGTERM", passOn);
  const whenEnded = onStart(child.pid ?? 0);
  attach(child);
  try {
    const ended = await new Promise<Omit<Ended, "log">>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, by) => {
        resolve({ code, signal: by });
      });
    }).catch((error: unknown) => {
      throw missing(error) ?? error;
    });
    return { ...ended, log: existsSync(eventLog) ? readFileSync(eventLog, "utf8") : "" };
  } finally {
    process.off("SIGTERM", passOn).off("exit", remove);
    remove();
    await whenEnded(child.signalCode);
  }
}

/**
 * Runs `pulumi up` or `pulumi destroy`, and shows Pulumi's output on the terminal. While another
 * update holds the stack's lock, the function waits. Adds Pulumi's errors to the command's report.
 *
 * @param before - checks the stack before each try, because another update may have changed the
 * stack.
 * @throws UpdateError if Pulumi fails.
 */
export async function change(
  what: "destroy" | "up",
  stack: string,
  workspace: Workspace,
  {
    before,
    options = [],
  }: { readonly before?: () => Promise<void>; readonly options?: readonly string[] } = {},
): Promise<void> {
  const args = [what, "--stack", stack, "--yes", "--skip-preview", ...options];
  await whenUnlocked(stack, workspace, async () => {
    await before?.();
    await changeOnce(args, withEnv(workspace, updateEnvironment(stack, variables(workspace))));
  });
}

async function changeOnce(args: readonly string[], workspace: Workspace): Promise<void> {
  let stderr = "";
  const wait = (): void => undefined;
  process.on("SIGINT", wait);
  const { code, log } = await runPulumi([...args, ...plainLines(workspace)], workspace, {
    attach: (child) => {
      child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
        stderr += chunk;
        // `untilUnlocked` prints its own message about the lock.
        if (!isLocked(stderr)) process.stderr.write(chunk);
      });
    },
    // Pulumi writes to the terminal directly, so the output continues if this process is killed.
    stdio: ["inherit", "inherit", "pipe"],
  }).finally(() => process.off("SIGINT", wait));
  if (code === 0) return;
  if (isLocked(stderr)) throw new UserError(stderr.trim());
  const causes = causesOf(log, stderr).map(withoutSecrets);
  for (const cause of causes) reports.addCause(cause);
  const what = `pulumi ${args[0] ?? ""} failed (see its output above). Fix the cause and run the command again`;
  throw new UpdateError([what, ...fieldConflicts(causes.join("\n"))].join("\n"), causes);
}

/**
 * Returns the errors and policy violations in the engine's event log. If the log has no errors and
 * no violations, returns the errors in `stderr`.
 */
function causesOf(log: string, stderr: string): readonly string[] {
  const { errors, violations } = readEvents(log);
  const found = [...errors, ...violations].map(({ message }) => message);
  const all = found.length === 0 ? [errorsIn(stderr)] : found;
  const causes = [...new Set(all)].filter((cause) => cause !== "");
  // If a resource's operation failed, Pulumi reports a second error, "update failed", for the
  // stack.
  const others = causes.filter((cause) => cause !== "update failed");
  return others.length === 0 ? causes : others;
}

/**
 * Runs a Pulumi command that does not run the Pulumi program, and returns the command's output. The
 * default timeout is 2 minutes.
 */
export async function ask(
  args: readonly string[],
  workspace: Workspace,
  options: Pick<CommandOptions, "input" | "killSignal" | "timeout"> = {},
): Promise<string> {
  // This import is inside the function, because most previews do not call the function. A preview
  // that does not load the module starts faster.
  const { command } = await import("../../lib/command");
  removeTornFiles(variables(workspace)["PULUMI_BACKEND_URL"]);
  // `--non-interactive` is before `--`, because Pulumi treats everything after `--` as a value.
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const all = [...args.slice(0, end), "--non-interactive", ...args.slice(end)];
  return command("pulumi", all, {
    cwd: workspace.cwd,
    env: pulumiEnv(args, workspace),
    // Callers use the kill signal SIGKILL only for commands that read and take no lock. Such a
    // command needs no record.
    ...(options.killSignal !== "SIGKILL" && (await remembering(args, workspace))),
    timeout: 120_000,
    ...options,
  });
}

/** Runs a Pulumi command with `--json`, and returns the parsed output. */
export async function askJson(args: readonly string[], workspace: Workspace): Promise<unknown> {
  return JSON.parse(await ask([...args, "--json"], workspace));
}

function missing(error: unknown): UserError | undefined {
  return (error as NodeJS.ErrnoException).code === "ENOENT"
    ? new UserError(
        'there is no pulumi on the PATH. On a laptop, run: eval "$(npm run --silent sandbox -- env)"',
      )
    : undefined;
}
