import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../command";
import { UserError } from "../progress";
import { tool, toolEnvironment } from "./debian";
import { net, paths, root } from "./layout";

// The sandbox runs in a mount, a process and a network namespace of its own, like a container: its mounts, bridges,
// routes, iptables rules and processes are seen by nobody else, and the kernel removes them with the box's first process,
// even when everything in it is killed at once. On the machine itself there is one network interface, with one route.

/** cgroup under which pods and daemons run, in every hierarchy. */
export const CGROUP = "services-orders-sandbox";

/** A long-running program of the sandbox. */
export interface Daemon {
  readonly name: string;
  readonly argv: readonly string[];
  /** `node`: in the sandbox's own network. `edge`: in the machine's, to be reached on 127.0.0.1. */
  readonly network: "node" | "edge";
  readonly env?: Readonly<Record<string, string>>;
}

interface Identity {
  readonly pid: number;
  /** Kernel's start time of the process: a process id alone may have been given to another one since. */
  readonly started: string;
}

const identityFile = join(paths.run, "box.json");

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

/** The box's first process, when it runs. */
export function boxPid(): number | undefined {
  if (!existsSync(identityFile)) {
    return undefined;
  }
  const identity = JSON.parse(readFileSync(identityFile, "utf8")) as Identity;
  return startTime(identity.pid) === identity.started ? identity.pid : undefined;
}

interface BoxProcess {
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

function enter(pid: number, network: "node" | "edge"): string[] {
  return ["--target", String(pid), "--mount", "--pid", ...(network === "node" ? ["--net"] : []), "--"];
}

/** Runs a program in the box to its end. */
export async function inBox(argv: readonly string[], network: "node" | "edge" = "node", input?: string): Promise<string> {
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

/** Makes the box, unless it runs. Gives whether it had to be made. */
export async function openBox(): Promise<boolean> {
  if (boxPid() !== undefined) {
    return false;
  }
  // What is left of a box that was killed: sockets and process ids of daemons that are gone.
  rmSync(paths.run, { recursive: true, force: true });
  for (const directory of [paths.run, paths.logs, join(paths.var, "lib"), join(paths.var, "log"), join(paths.var, "tmp")]) {
    mkdirSync(directory, { recursive: true });
  }
  await removeLink();
  removeCgroups();
  createCgroups();

  const log = openSync(join(paths.logs, "box.log"), "a");
  const first = spawn(
    "unshare",
    [
      ...["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "--net", "--"],
      ...[tool("catatonit"), "-P"],
    ],
    { detached: true, stdio: ["ignore", log, log], env: { ...process.env, ...toolEnvironment } },
  );
  closeSync(log);
  first.unref();
  const pid = await firstProcess(first.pid);
  writeFileSync(identityFile, JSON.stringify({ pid, started: startTime(pid) ?? "" } satisfies Identity));
  for (const cgroup of daemonCgroups()) {
    writeFileSync(cgroup, String(pid));
  }
  await furnish();
  await linkNetwork(pid);
  return true;
}

/** `unshare` waits outside; its one child is the first process inside. */
async function firstProcess(unshare: number | undefined): Promise<number> {
  for (let attempt = 0; attempt < 100 && unshare !== undefined; attempt += 1) {
    try {
      const child = readFileSync(`/proc/${String(unshare)}/task/${String(unshare)}/children`, "utf8").trim();
      if (child !== "" && readFileSync(`/proc/${child}/cmdline`, "utf8").includes("catatonit")) {
        return Number(child);
      }
    } catch {
      break;
    }
    await sleep(20);
  }
  throw new UserError(
    `the kernel did not give the sandbox namespaces of its own; what it said is in ${join(paths.logs, "box.log")}`,
  );
}

/**
 * Mounts: /run and /var of its own, and settings of the machine's kernel, which stay as they are: where the kubelet wants
 * another value it finds a file that has it.
 */
async function furnish(): Promise<void> {
  await inBox([
    "sh",
    "-euc",
    `mount -t tmpfs -o mode=755 tmpfs /run
     mkdir -p /run/lock
     mount --bind "$1" /var
     ln -sfn /run /var/run
     mount --bind /proc/sys /proc/sys
     mount -o remount,bind,ro /proc/sys
     mount --bind /proc/sys/net /proc/sys/net
     mount -o remount,bind,rw /proc/sys/net
     for setting in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1 \\
       kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
       file="$2/\$(basename "\${setting%=*}")"
       echo "\${setting#*=}" > "$file"
       mount --bind "$file" "/proc/sys/\${setting%=*}"
     done
     echo 1 > /proc/sys/net/ipv4/ip_forward`,
    "sh",
    paths.var,
    paths.run,
  ]);
}

async function linkNetwork(pid: number): Promise<void> {
  const ip = tool("ip");
  const outside = async (...args: string[]): Promise<string> => command(ip, args, { env: toolEnvironment });
  const inside = async (...args: string[]): Promise<string> => inBox([ip, ...args]);
  await outside("link", "add", net.outside, "type", "veth", "peer", "name", net.inside, "netns", String(pid));
  await inside("link", "set", "lo", "up");
  await inside("address", "add", `${net.nodeAddress}/${String(net.linkPrefix)}`, "dev", net.inside);
  await inside("link", "set", net.inside, "up");
  await outside("address", "add", `${net.outsideAddress}/${String(net.linkPrefix)}`, "dev", net.outside);
  await outside("link", "set", net.outside, "up");
  await outside("route", "add", net.everything, "via", net.nodeAddress, "dev", net.outside);
}

/** The kernel removes the link with the box, a moment after its last process. */
async function removeLink(): Promise<void> {
  if (existsSync(`/sys/class/net/${net.outside}`)) {
    await command(tool("ip"), ["link", "delete", net.outside], { env: toolEnvironment }).catch(() => undefined);
  }
}

function cgroupHierarchies(): string[] {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  return mounts
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, path]) => path ?? "");
}

function createCgroups(): void {
  for (const hierarchy of cgroupHierarchies()) {
    mkdirSync(join(hierarchy, CGROUP, "daemons"), { recursive: true });
    // cgroup v1 starts a cpuset empty, and an empty one takes no process.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      for (const level of [CGROUP, join(CGROUP, "daemons")]) {
        const path = join(hierarchy, level, file);
        if (existsSync(path) && existsSync(join(hierarchy, "tasks"))) {
          writeFileSync(path, readFileSync(join(hierarchy, file), "utf8"));
        }
      }
    }
  }
}

/** Where a process writes its id, to be counted with the sandbox. */
function daemonCgroups(): string[] {
  return cgroupHierarchies().map((hierarchy) => join(hierarchy, CGROUP, "daemons", "cgroup.procs"));
}

function removeCgroups(): void {
  const remove = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) {
        remove(join(directory, entry.name));
      }
    }
    rmdirSync(directory);
  };
  for (const hierarchy of cgroupHierarchies()) {
    const directory = join(hierarchy, CGROUP);
    if (existsSync(directory)) {
      remove(directory);
    }
  }
}

const pidFile = (name: string): string => join(paths.run, `${name}.pid`);

export const logFile = (name: string): string => join(paths.logs, `${name}.log`);

/** Process of a daemon, when it runs: its id on the machine. */
export function daemonPid(name: string, processes: readonly BoxProcess[] = boxProcesses()): number | undefined {
  if (!existsSync(pidFile(name))) {
    return undefined;
  }
  const inside = Number(readFileSync(pidFile(name), "utf8"));
  // Every daemon's program lies in the sandbox's directory; a pod's process that got the same id since does not.
  return processes.find((process) => process.pidInside === inside && process.commandLine.startsWith(`${root}/`))?.pid;
}

/** Starts a daemon, unless it runs. It goes on when this process ends; its output is in its log. */
export async function startDaemon(daemon: Daemon): Promise<void> {
  const pid = boxPid();
  if (daemonPid(daemon.name) !== undefined || pid === undefined) {
    return;
  }
  // nsenter's child is the first to be inside; it starts the daemon, notes its id, and ends.
  const start =
    'log=$1; note=$2; shift 2; for cgroup in $CGROUPS; do echo $$ > "$cgroup"; done; setsid "$@" </dev/null >>"$log" 2>&1 & echo $! > "$note"';
  await command(
    "nsenter",
    [
      ...enter(pid, daemon.network),
      ...["sh", "-c", start, "sh", logFile(daemon.name), pidFile(daemon.name)],
      ...daemon.argv,
    ],
    { env: { ...toolEnvironment, ...daemon.env, CGROUPS: daemonCgroups().join(" ") }, timeout: 20_000 },
  );
  // The new process is the shell's copy first, and the daemon a moment later.
  for (let attempt = 0; attempt < 100 && daemonPid(daemon.name) === undefined; attempt += 1) {
    await sleep(10);
  }
}

/** The last lines of a daemon's log, to explain why it is not what it should be. */
export function lastWords(daemon: Daemon, lines = 12): string {
  const log = logFile(daemon.name);
  return existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-lines).join("\n") : "";
}

/** Time that daemons have to end by themselves before the box is taken from under them. */
const STOP_MS = 5_000;

/** Ends the box and everything in it, and waits until nothing of it is left. */
export async function closeBox(): Promise<void> {
  const first = boxPid();
  if (first !== undefined) {
    const names = readdirSync(paths.run).filter((file) => file.endsWith(".pid")).map((file) => file.slice(0, -".pid".length));
    const running = boxProcesses();
    for (const pid of names.map((name) => daemonPid(name, running)).filter((found) => found !== undefined)) {
      process.kill(pid, "SIGTERM");
    }
    const patience = Date.now() + STOP_MS;
    const stillThere = (): boolean => {
      const now = boxProcesses();
      return names.some((name) => daemonPid(name, now) !== undefined);
    };
    while (Date.now() < patience && stillThere()) {
      await sleep(100);
    }
    process.kill(first, "SIGKILL");
    for (let attempt = 0; attempt < 200 && (boxPid() !== undefined || existsSync(`/sys/class/net/${net.outside}`)); attempt += 1) {
      await sleep(50);
    }
  }
  await removeLink();
  for (let attempt = 0; ; attempt += 1) {
    try {
      removeCgroups();
      break;
    } catch (error) {
      // The kernel lets go of a killed process' cgroup a moment later.
      if (attempt === 100) {
        throw error;
      }
      await sleep(50);
    }
  }
  rmSync(paths.run, { recursive: true, force: true });
}
