import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { CGROUP } from "./cgroups";
import { toolEnvironment } from "../install/debian";
import { paths } from "../layout";

/** Path of the program that the first process in the sandbox's namespaces runs. */
export const initProgram = join(paths.debian, "usr", "bin", "catatonit");

/** Sends a signal to a process. Does nothing if the process has already ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}

/** Calls `read` for each process on the machine, and returns all results in one list. */
function everyProcess<T>(read: (pid: string) => T[]): T[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      return /^\d+$/.test(entry) ? read(entry) : [];
    } catch {
      // The process ended before this function read its files, or the process is a kernel thread.
      return [];
    }
  });
}

const fileOf = (pid: string, file: string): string =>
  readFileSync(join("/proc", pid, file), "utf8");

/**
 * Returns the id of the first process in the sandbox's namespaces. Undefined if the sandbox does
 * not run. Finds the process by the path of its program, because a stored process id could be out
 * of date.
 */
export function initPid(): number | undefined {
  const [pid] = everyProcess((candidate) =>
    fileOf(candidate, "cmdline").startsWith(`${initProgram}\0-P\0`) &&
    /^NSpid:.*\t1$/m.test(fileOf(candidate, "status"))
      ? [Number(candidate)]
      : [],
  );
  return pid;
}

export interface SandboxProcess {
  readonly pid: number;
  /** Process id inside the sandbox's process namespace. */
  readonly pidInside: number;
  readonly commandLine: string;
}

/** Returns all processes of the sandbox: its daemons, and the processes in pods. */
export function sandboxProcesses(): SandboxProcess[] {
  const init = initPid();
  if (init === undefined) {
    return [];
  }
  const namespace = readlinkSync(`/proc/${String(init)}/ns/pid`);
  return everyProcess((pid) => {
    // Containers have their own process namespaces. The cgroup of a container's process shows
    // whether the process belongs to the sandbox.
    const isInside =
      readlinkSync(`/proc/${pid}/ns/pid`) === namespace ||
      fileOf(pid, "cgroup").includes(`/${CGROUP}/`);
    if (!isInside) return [];
    // A pod can have its own process namespace inside the sandbox's namespace. In this case, a
    // process of the pod has more than two ids. The second id is the id in the sandbox's namespace.
    const ids = (/^NSpid:\s+(.*)$/m.exec(fileOf(pid, "status"))?.[1] ?? "").split(/\s+/);
    return [
      {
        pid: Number(pid),
        pidInside: Number(ids[1] ?? ids[0]),
        commandLine: fileOf(pid, "cmdline").replaceAll("\0", " ").trim(),
      },
    ];
  });
}

/**
 * Returns the arguments that make nsenter enter the sandbox's namespaces. With `edge`, nsenter does
 * not enter the network namespace.
 */
export function nsenterArguments(pid: number, network: "node" | "edge"): string[] {
  const net = network === "node" ? ["--net"] : [];
  return ["--target", String(pid), "--mount", "--pid", ...net, "--"];
}

/**
 * Runs a program in the sandbox's namespaces, waits until the program ends, and returns the
 * program's standard output.
 */
export async function runInNamespaces(argv: readonly string[], input?: string): Promise<string> {
  const pid = initPid();
  if (pid === undefined) {
    throw new UserError("the sandbox is not running; start it with: npm run sandbox -- up");
  }
  return command("nsenter", [...nsenterArguments(pid, "node"), ...argv], {
    env: toolEnvironment,
    timeout: 120_000,
    ...(input === undefined ? {} : { input }),
  });
}

/**
 * Returns the process ids of Pulumi's engines and plugins that still run after someone has killed
 * the command that started them. Such an engine or plugin is a child of process 1, and its program
 * or script is in the sandbox's directory. This function also returns the ids of all descendants of
 * these engines and plugins.
 */
export function orphans(): number[] {
  const inside = new Set(sandboxProcesses().map(({ pid }) => pid));
  const all = everyProcess((entry) => {
    const pid = Number(entry);
    const [program = "", script = ""] = fileOf(entry, "cmdline").split("\0");
    const files = [readlinkSync(`/proc/${entry}/exe`), program, script];
    const isOurs = files.some((file) => file.startsWith(`${paths.parts}/`));
    const parent = Number(/^PPid:\t(\d+)$/m.exec(fileOf(entry, "status"))?.[1]);
    return inside.has(pid) ? [] : [{ isOurs, parent, pid }];
  });
  const found = all.filter(({ isOurs, parent }) => isOurs && parent === 1);
  // The loop also visits the processes that it adds to the list. So the loop finds the children of
  // child processes, too.
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found.map(({ pid }) => pid);
}
