import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { command } from "../command";
import { UserError } from "../progress";
import { CGROUP } from "./cgroups";
import { toolEnvironment } from "./debian";
import { paths } from "./layout";

/** Program of the box's first process; nothing else runs it from this path. */
export const firstProgram = join(paths.debian, "usr", "bin", "catatonit");

/** Start time (clock ticks since boot) of a process; undefined when there is none. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/** The box's first process, when it runs. Found by what it is: nothing has to be noted, so nothing noted can be wrong. */
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
      const inside = /^NSpid:.*\t(\d+)$/m.exec(status)?.[1];
      // A pod may have process namespaces of its own below the box's: its processes have more ids, the box's comes second.
      if (inside !== undefined && isInside(entry, namespace)) {
        const ids = (/^NSpid:\s+(.*)$/m.exec(status)?.[1] ?? "").split(/\s+/);
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
  // Containers have a process namespace of their own; they are the box's when their mount of cgroups says so.
  return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`/${CGROUP}/`);
}

/** Arguments with which nsenter enters the box. */
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

/** Runs a program in the box to its end. */
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

/**
 * Engine and plugins that outlived the command which started them, because that was killed: nothing waits for them any more, and
 * they run from the sandbox's directory.
 */
export function orphans(): number[] {
  const box = new Set(boxProcesses().map(({ pid }) => pid));
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && !box.has(Number(entry)))
    .filter((entry) => {
      try {
        return (
          readlinkSync(`/proc/${entry}/exe`).startsWith(`${paths.parts}/`) &&
          /^PPid:\t1$/m.test(readFileSync(`/proc/${entry}/status`, "utf8"))
        );
      } catch {
        // It ended while we looked, or is a thread of the kernel.
        return false;
      }
    })
    .map(Number);
}
