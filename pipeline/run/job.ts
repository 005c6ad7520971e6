import { execa } from "execa";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { UserError } from "../../lib/errors";
import { list, mapping, text } from "../checks/shape";
import { machineOnly } from "../steps";
import { cacheKey, type KeyValues } from "./caches";
import { fill } from "./situation";
import type { Place, StoredCaches } from "./stored-caches";
import type { Workspace } from "./workspace";

/** Timeout of a step, in milliseconds. */
const TIMEOUT_MS = 3_600_000;

/**
 * Directories and values that the steps of a job use, such as the job's copy of the repository, the
 * caches and the workspace.
 */
export interface Room extends Place {
  readonly artifacts: string;
  readonly caches: StoredCaches;
  readonly job: string;
  readonly keyValues: KeyValues;
  readonly say: (line: string) => void;
  readonly workspace: Workspace;
}

/**
 * Runs a job's steps in the job's copy of the repository. After the first failure, only three kinds
 * of steps run: steps with `when: always`, steps with `when: on_fail`, and steps that store
 * artifacts or test results. Returns whether all steps succeeded.
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
      try {
        room.say(`  ${kind}: ${move(kind, options, room)}`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        room.say(`  ${kind}: FAILED: ${error.message}`);
        good = false;
      }
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
 * Runs a step that is not a command. Most of these steps save or restore files. Returns a text that
 * says what the step did.
 *
 * @throws UserError if the step would fail in CircleCI
 */
function move(kind: string, options: Readonly<Record<string, unknown>>, room: Room): string {
  const { artifacts, caches, copy, job, keyValues, workspace } = room;
  const paths = list(options["paths"]).map(text);
  switch (kind) {
    case "checkout":
      return "a clean copy of the commit";
    case "persist_to_workspace":
      workspace.persist(job, resolve(copy, text(options["root"])), paths);
      return paths.join(", ");
    case "attach_workspace": {
      const to = resolve(copy, text(options["at"]));
      if (relative(copy, to).startsWith(".."))
        return `skipped, because ${to} is outside of the job's directory`;
      return `from ${workspace.attach(job, to).join(", ") || "no job"}`;
    }
    case "save_cache":
      return caches.save(cacheKey(text(options["key"]), keyValues), paths, room);
    case "restore_cache": {
      // "If you provide both `key` and `keys`, CircleCI checks `key` first, then `keys`" (docs:
      // Configuration reference).
      const given = [text(options["key"]), ...list(options["keys"]).map(text)];
      const keys = given.filter((key) => key !== "").map((key) => cacheKey(key, keyValues));
      return caches.restore(keys, room);
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
 * Creates the file for the variable `BASH_ENV`, and returns the path of the file. Each shell reads
 * this file before it runs a command, so a step can use the file to set variables for later steps.
 */
export function bashEnvironment(directory: string): string {
  const file = join(directory, "bash-environment");
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, "");
  return file;
}
