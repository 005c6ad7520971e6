import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { CGROUP } from "./cgroups";
import { toolEnvironment } from "../install/debian";
import { paths } from "../layout";

/** Program of the first process in the sandbox's namespaces. No other process runs this path. */
export const initProgram = join(paths.debian, "usr", "bin", "catatonit");

/** Sends a signal, unless the process has already ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}

/** What `read` finds out about each process of the machine, by its process id. */
function everyProcess<T>(read: (pid: string) => T[]): T[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      return /^\d+$/.test(entry) ? read(entry) : [];
    } catch {
      // It ended while we looked, or is a thread of the kernel.
      return [];
    }
  });
}

const fileOf = (pid: string, file: string): string =>
  readFileSync(join("/proc", pid, file), "utf8");

/**
 * The first process in the sandbox's namespaces, if it runs. It is recognized by its program, so no
 * stored process id can be out of date.
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
  /** Its process id in the sandbox's namespaces. */
  readonly pidInside: number;
  readonly commandLine: string;
}

/** Every process in the sandbox's namespaces: daemons, and the processes of pods. */
export function sandboxProcesses(): SandboxProcess[] {
  const init = initPid();
  if (init === undefined) {
    return [];
  }
  const namespace = readlinkSync(`/proc/${String(init)}/ns/pid`);
  return everyProcess((pid) => {
    // Containers have their own process namespace. Their mount of cgroups shows whether they belong
    // to the sandbox.
    const isInside =
      readlinkSync(`/proc/${pid}/ns/pid`) === namespace ||
      fileOf(pid, "cgroup").includes(`/${CGROUP}/`);
    if (!isInside) return [];
    // A pod may have its own process namespaces below that of the sandbox. Then its processes have
    // more ids, and the id in the sandbox is the second.
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

/** Arguments for nsenter to enter the sandbox's namespaces. */
export function nsenterArguments(pid: number, network: "node" | "edge"): string[] {
  const net = network === "node" ? ["--net"] : [];
  return ["--target", String(pid), "--mount", "--pid", ...net, "--"];
}

/** Runs a program in the sandbox's namespaces and waits for its end. */
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
 * Engine and plugins that still run although the command that started them was killed, with all
 * their child processes. No process waits for them any more, and they run from the sandbox's
 * directory, as a program or as a script of another one.
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
  // The list grows during the loop, so child processes of found processes are found too.
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found.map(({ pid }) => pid);
}
