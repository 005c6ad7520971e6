import { execa } from "execa";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { list, mapping, text } from "../checks/shape";
import { machineOnly } from "../steps";
import { fill } from "./situation";

/** Timeout of a step, in milliseconds. */
const TIMEOUT_MS = 3_600_000;

/** Directories of a run: for a job, and for the files that jobs pass to later jobs. */
export interface Room {
  /** Working directory of this job: a clean copy of the commit. */
  readonly copy: string;
  /** Directory of the files that jobs persisted to the workspace. */
  readonly workspace: string;
  /** Directory of the caches, by key. Only paths inside the working directory are cached. */
  readonly caches: string;
  readonly artifacts: string;
  readonly say: (line: string) => void;
}

/**
 * Runs a job's steps in its copy. After the first failure, only steps with `always` or `on_fail`
 * run. Returns whether all commands succeeded.
 */
export async function runSteps(
  steps: readonly unknown[],
  values: Readonly<Record<string, string | number | boolean>>,
  env: Readonly<Record<string, string | undefined>>,
  room: Room,
): Promise<boolean> {
  let good = true;
  for (const step of steps) {
    const [kind, given] =
      typeof step === "string" ? [step, {}] : (Object.entries(mapping(step))[0] ?? ["", {}]);
    const options = mapping(typeof given === "string" ? { command: given } : given);
    const when = text(options["when"]) || (kind.startsWith("store_") ? "always" : "on_success");
    if (when !== "always" && (when === "on_success") !== good) continue;
    if (kind === "run" && text(options["name"]).startsWith(machineOnly)) {
      room.say(`  run: skipped: ${text(options["name"])}`);
    } else if (kind === "run") {
      if (!(await runCommand(fill(text(options["command"]), values), env, room))) good = false;
    } else {
      room.say(`  ${kind}: ${move(kind, options, env, room)}`);
    }
  }
  return good;
}

async function runCommand(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  room: Room,
): Promise<boolean> {
  room.say(`  run: ${command}`);
  const { exitCode } = await execa("bash", ["-eo", "pipefail", "-c", command], {
    cwd: room.copy,
    env: { ...env, npm_config_update_notifier: "false" },
    extendEnv: false,
    forceKillAfterDelay: 10_000,
    reject: false,
    stderr: "inherit",
    stdin: "ignore",
    stdout: "inherit",
    timeout: TIMEOUT_MS,
  });
  if (exitCode !== 0)
    room.say(`  run: FAILED (exit code ${String(exitCode ?? "none")}): ${command}`);
  return exitCode === 0;
}

/**
 * Runs a step that is not a command. Most of these steps pass files from job to job. Returns a text
 * that says what the step did.
 */
function move(
  kind: string,
  options: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  { artifacts, caches, copy, workspace }: Room,
): string {
  const paths = list(options["paths"]).map(text);
  const inside = paths.every((path) => !isAbsolute(path) && !path.startsWith("~"));
  const cache = (key: unknown) => join(caches, cacheKey(text(key), env));
  switch (kind) {
    case "checkout":
      return "a clean copy of the commit";
    case "persist_to_workspace":
      return paths.map((path) => copyOver(join(copy, path), join(workspace, path))).join(", ");
    case "attach_workspace":
      return copyOver(workspace, copy);
    case "save_cache":
      if (!inside) return "skipped, because the machine has its own";
      return paths
        .map((path) => copyOver(join(copy, path), join(cache(options["key"]), path)))
        .join(", ");
    case "restore_cache": {
      const found = list(options["keys"])
        .map(cache)
        .find((directory) => existsSync(directory));
      return found === undefined ? "nothing there" : copyOver(found, copy);
    }
    case "store_artifacts":
    case "store_test_results": {
      const path = text(options["path"]);
      return copyOver(join(copy, path), join(artifacts, path));
    }
    case "setup_remote_docker":
      return "skipped, because the sandbox has a builder";
    default:
      return "skipped, because it is a step of an orb";
  }
}

function copyOver(from: string, to: string): string {
  if (!existsSync(from)) return `nothing at ${from}`;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
  return to;
}

/**
 * Returns the cache key, with environment variables replaced by their values. A checksum is not
 * computed, because it is the same in each copy of one commit.
 */
function cacheKey(template: string, env: Readonly<Record<string, string | undefined>>): string {
  return template
    .replace(/\{\{\s*\.Environment\.(\w+)\s*\}\}/g, (_, name: string) => env[name] ?? "")
    .replace(/[^\w.-]+/g, "_");
}

/**
 * Creates the file that CircleCI's shells read first, and returns its path. Steps write variables
 * into this file.
 */
export function bashEnvironment(directory: string): string {
  const file = join(directory, "bash-environment");
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, "");
  return file;
}
