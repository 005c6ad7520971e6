import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { CGROUP } from "./cgroups";
import { toolEnvironment } from "../install/debian";
import { paths } from "../layout";

/** Program of the box's first process. No other process runs it from this path. */
export const firstProgram = join(paths.debian, "usr", "bin", "catatonit");

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

/**
 * The box's first process, if it runs. It is recognized by its program, so no stored process id can
 * be out of date.
 */
export function boxPid(): number | undefined {
  const found = readdirSync("/proc").find((entry) => {
    try {
      return (
        /^\d+$/.test(entry) &&
        readFileSync(`/proc/${entry}/cmdline`, "utf8").startsWith(`${firstProgram}\0-P\0`) &&
        /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${entry}/status`, "utf8"))
      );
    } catch {
      // It ended while we looked.
      return false;
    }
  });
  return found === undefined ? undefined : Number(found);
}

export interface BoxProcess {
  readonly pid: number;
  readonly pidInside: number;
  readonly commandLine: string;
}

/** Every process in the box: daemons, and the processes of pods. */
export function boxProcesses(): BoxProcess[] {
  const first = boxPid();
  if (first === undefined) {
    return [];
  }
  const namespace = readlinkSync(`/proc/${String(first)}/ns/pid`);
  const found: BoxProcess[] = [];
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${entry}/status`, "utf8");
      // A pod may have its own process namespaces below the box's. Then its processes have more
      // ids, and the box's comes second.
      const ids = (/^NSpid:\s+(.*)$/m.exec(status)?.[1] ?? "").split(/\s+/);
      if (isInside(entry, namespace)) {
        found.push({
          pid: Number(entry),
          pidInside: Number(ids[ids.length > 1 ? 1 : 0]),
          commandLine: readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ").trim(),
        });
      }
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

function isInside(pid: string, namespace: string): boolean {
  if (readlinkSync(`/proc/${pid}/ns/pid`) === namespace) {
    return true;
  }
  // Containers have their own process namespace. Their mount of cgroups shows whether they belong
  // to the box.
  return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`/${CGROUP}/`);
}

/** Arguments for nsenter to enter the box. */
export function enter(pid: number, network: "node" | "edge"): string[] {
  return [
    "--target",
    String(pid),
    "--mount",
    "--pid",
    ...(network === "node" ? ["--net"] : []),
    "--",
  ];
}

/** Runs a program in the box and waits for its end. */
export async function inBox(
  argv: readonly string[],
  network: "node" | "edge" = "node",
  input?: string,
): Promise<string> {
  const pid = boxPid();
  if (pid === undefined) {
    throw new UserError("the sandbox is not running; start it with: npm run sandbox -- up");
  }
  return command("nsenter", [...enter(pid, network), ...argv], {
    env: toolEnvironment,
    timeout: 120_000,
    ...(input === undefined ? {} : { input }),
  });
}

interface Process {
  readonly parent: number;
  readonly pid: number;
  /** Whether it runs from the sandbox's directory, as a program or as a script of another one. */
  readonly ours: boolean;
}

/**
 * Engine and plugins that still run although the command that started them was killed, with all
 * their child processes. No process waits for them any more, and they run from the sandbox's
 * directory.
 */
export function orphans(): number[] {
  const box = new Set(boxProcesses().map(({ pid }) => pid));
  const all = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && !box.has(Number(entry)))
    .flatMap(processOf);
  const found = all.filter(({ ours, parent }) => ours && parent === 1);
  // The list grows during the loop, so child processes of found processes are found too.
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found.map(({ pid }) => pid);
}

function processOf(entry: string): Process[] {
  try {
    const status = readFileSync(`/proc/${entry}/status`, "utf8");
    const [program = "", script = ""] = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
    const files = [readlinkSync(`/proc/${entry}/exe`), program, script];
    return [
      {
        ours: files.some((file) => file.startsWith(`${paths.parts}/`)),
        parent: Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]),
        pid: Number(entry),
      },
    ];
  } catch {
    // It ended while we looked, or is a thread of the kernel.
    return [];
  }
}
