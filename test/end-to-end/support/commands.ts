import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "../../../lib/command";
import { project } from "../../../lib/project";
import { environment } from "../../../sandbox/environment";

export interface Run {
  readonly code: number | null;
  /**
   * Everything that the command printed, both to standard output and to standard error, in the
   * order of arrival.
   */
  readonly output: string;
  readonly seconds: number;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /**
   * When the command has printed `text`, `npmRun` calls `then` with the command's process id and
   * with the output so far.
   */
  readonly when?: {
    readonly text: string;
    readonly then: (pid: number, output: string) => void;
  };
}

/**
 * Runs one of the project's commands in the same way as a person, in the project or in a copy of
 * the project.
 */
export async function npmRun(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { cwd = project, env = {}, when } = options;
  const started = Date.now();
  const child = spawn(process.execPath, [join(cwd, "cli", "entry.mjs"), ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // The command gets its own process group, so that a test can kill the command together with its
    // child processes.
    detached: true,
  });
  let output = "";
  let told = false;
  const listen = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
    if (when !== undefined && !told && output.includes(when.text)) {
      told = true;
      when.then(child.pid ?? 0, output);
    }
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, output, seconds: (Date.now() - started) / 1000 };
}

/** Fails if the command did not succeed, and shows what the command printed. Returns the run. */
export function succeeded(run: Run): Run {
  assert.equal(run.code, 0, run.output.slice(-6000));
  return run;
}

export function refused(run: Run, text: RegExp): void {
  assert.notEqual(run.code, 0, run.output.slice(-2000));
  assert.match(run.output, text);
}

/**
 * Runs `pulumi` itself on stack `local`, with the environment variables of
 * `npm run sandbox -- env`.
 */
export async function pulumi(
  args: readonly string[],
  cwd = project,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return command("pulumi", [...args, "--stack", "local", "--non-interactive"], {
    cwd,
    env: { ...environment(), ...env },
  });
}

export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  return command("kubectl", args, {
    env: environment(),
    timeout: 180_000,
    ...(input === undefined ? {} : { input }),
  });
}

export async function apply(...items: object[]): Promise<void> {
  await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

/** Runs a query in a stack's database, and returns the rows. */
export async function sql(query: string, namespace = NAMESPACE): Promise<string[]> {
  const psql = ["psql", "-U", "orders", "-d", "orders", "-h", "127.0.0.1", "-tA", "-c", query];
  // The shell in the pod reads the password from a mounted file, so the test does not need the
  // password.
  const script = 'PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") exec "$@"';
  const answer = await kubectl([
    "-n",
    namespace,
    "exec",
    "postgres-0",
    "--",
    "sh",
    "-c",
    script,
    "sh",
    ...psql,
  ]);
  return answer.split("\n").filter((row) => row !== "");
}

export const NAMESPACE = "services-orders-local";

/**
 * Copies the project with all uncommitted changes, and returns the directory of the copy. A test
 * can edit the copy as a developer would.
 */
export function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "services-orders-copy-"));
  for (const entry of readdirSync(project).filter((name) => name !== "node_modules")) {
    cpSync(join(project, entry), join(copy, entry), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(project, "node_modules"), join(copy, "node_modules"));
  return copy;
}

/**
 * Changes a file of a copy of the project, as a developer would.
 *
 * @throws Error if the file does not contain the text `from`
 */
export function edit(copy: string, file: string, from: string, to: string): void {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(path, text.replace(from, to));
}
