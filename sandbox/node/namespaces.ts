import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";
import { duration, eventually } from "../../lib/time";
import { UserError } from "../../lib/errors";
import { CGROUP, createCgroups, daemonCgroups, removeCgroups } from "./cgroups";
import { tool, toolEnvironment } from "../install/debian";
import { net, paths } from "../layout";
import { initPid, initProgram, runInNamespaces, sandboxProcesses, signal } from "./processes";
import { startTime } from "../../lib/processes";
import { daemonEnvironment, daemonPid } from "./supervision";

// The sandbox runs in its own mount, process and network namespaces, like a container. The mounts,
// routes and iptables rules of the sandbox have no effect outside these namespaces. When the first
// process in the namespaces ends or is killed, the kernel removes the namespaces with all mounts,
// routes and rules. On the machine itself, the sandbox adds only its cgroups, and one network
// interface with one route.

/** Path of a file that exists when the set-up of the namespaces is complete. */
const ready = join(paths.run, "box-is-ready");

/**
 * Creates the namespaces and their first process. Does nothing if the namespaces already exist and
 * are complete.
 *
 * @param withNode whether the sandbox starts a cluster. This cluster needs cgroups and a network
 * interface on the machine.
 */
export async function createNamespaces(withNode: boolean): Promise<void> {
  const running = initPid();
  if (running !== undefined && existsSync(ready)) {
    return;
  }
  if (running !== undefined) {
    // The namespaces are incomplete, because someone killed an earlier command while that command
    // created the namespaces.
    await removeNamespaces(withNode);
  }
  // Removes the sockets, and the files with process ids, that a killed sandbox has left.
  rmSync(paths.run, { recursive: true, force: true });
  for (const directory of [
    paths.run,
    paths.logs,
    join(paths.var, "lib"),
    join(paths.var, "log"),
    join(paths.var, "tmp"),
  ]) {
    mkdirSync(directory, { recursive: true });
  }
  if (withNode) {
    removeCgroups();
    createCgroups();
  }

  const log = openSync(join(paths.logs, "box.log"), "a");
  const init = spawn(
    "unshare",
    [
      ...["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=SIGKILL"],
      ...["--mount-proc", "--net", "--", initProgram, "-P"],
    ],
    {
      detached: true,
      env: { ...daemonEnvironment(process.env, "node"), ...toolEnvironment },
      stdio: ["ignore", log, log],
    },
  );
  closeSync(log);
  init.unref();
  await eventually(() => initPid() !== undefined, 4_000, 20);
  const pid = initPid();
  if (pid === undefined) {
    throw new UserError(
      `the sandbox could not create its namespaces; the reason is in ${join(paths.logs, "box.log")}`,
    );
  }
  await mountFileSystems();
  if (withNode) {
    for (const cgroup of daemonCgroups()) {
      writeFileSync(cgroup, String(pid));
    }
    await linkNetwork(pid);
  }
  writeFileSync(ready, "");
}

/**
 * Mounts /run and /var of the sandbox. Also mounts files over some kernel settings in /proc/sys.
 * The files contain the values that the kubelet requires. So the kubelet reads these values, and
 * the machine's settings do not change.
 */
async function mountFileSystems(): Promise<void> {
  await runInNamespaces([
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
  const outside = async (line: string): Promise<string> =>
    command(ip, line.split(" "), { env: toolEnvironment });
  const inside = async (line: string): Promise<string> => runInNamespaces([ip, ...line.split(" ")]);
  const prefix = String(net.linkPrefix);
  await outside(`link add ${net.outside} type veth peer name ${net.inside} netns ${String(pid)}`);
  await inside("link set lo up");
  await inside(`address add ${net.nodeAddress}/${prefix} dev ${net.inside}`);
  await inside(`link set ${net.inside} up`);
  await outside(`address add ${net.outsideAddress}/${prefix} dev ${net.outside}`);
  await outside(`link set ${net.outside} up`);
  await outside(`route add ${net.everything} via ${net.nodeAddress} dev ${net.outside}`);
}

/**
 * Milliseconds that the sandbox waits for the end of the daemons after SIGTERM. Afterwards, the
 * sandbox kills all processes.
 */
const STOP_MS = 5_000;

/**
 * Maximum time, in milliseconds, that the kernel may need after the end of the processes. In this
 * time, the kernel removes the namespaces and the network interface, and the sandbox removes the
 * cgroups.
 */
const GONE_MS = 30_000;

/**
 * Ends every process in the namespaces. Waits until the kernel has removed the namespaces and the
 * network interface. Then removes the cgroups.
 *
 * @throws UserError if a process, a network interface or a cgroup still exists after
 * {@link GONE_MS}. The message contains its name.
 */
export async function removeNamespaces(withNode: boolean): Promise<void> {
  const init = initPid();
  if (init !== undefined) {
    const started = startTime(init);
    await endDaemons();
    signal(init, "SIGKILL");
    // The first process of a namespace ends last, because the kernel first ends all other
    // processes.
    await untilGone(
      `process ${String(init)}`,
      () => started === undefined || startTime(init) !== started,
    );
  }
  if (withNode) {
    // Shortly after the last process has ended, the kernel removes the network interface.
    // Afterwards, the sandbox can remove the cgroups.
    const link = `/sys/class/net/${net.outside}`;
    const linkIsGone = (): boolean => !existsSync(link);
    if (init !== undefined) {
      await untilGone(`network interface ${net.outside}`, linkIsGone);
    }
    // If this sandbox did not run, but the network interface exists, a sandbox with another
    // SANDBOX_DIR runs. Then the cgroups belong to that sandbox, so this function must not remove
    // them.
    if (await eventually(linkIsGone, GONE_MS)) {
      await untilGone(`cgroup ${CGROUP}`, () => {
        removeCgroups();
        return true;
      });
    }
  }
  rmSync(paths.run, { recursive: true, force: true });
}

async function endDaemons(): Promise<void> {
  const names = existsSync(paths.run)
    ? readdirSync(paths.run)
        .filter((file) => file.endsWith(".pid"))
        .map((file) => file.slice(0, -".pid".length))
    : [];
  const running = sandboxProcesses();
  for (const pid of names.map((name) => daemonPid(name, running))) {
    if (pid !== undefined) {
      signal(pid, "SIGTERM");
    }
  }
  await eventually(() => {
    const now = sandboxProcesses();
    return names.every((name) => daemonPid(name, now) === undefined);
  }, STOP_MS);
}

/**
 * Waits until something of the sandbox has disappeared, such as a network interface.
 *
 * @param isGone - this function calls `isGone` repeatedly, until `isGone` returns true. If `isGone`
 *   throws an error, this counts as false.
 * @throws UserError if `isGone` does not return true before the timeout
 */
export async function untilGone(
  what: string,
  isGone: () => boolean,
  milliseconds = GONE_MS,
): Promise<void> {
  if (!(await eventually(isGone, milliseconds))) {
    throw new UserError(
      `${what} of the sandbox still exists after ${duration(milliseconds)}: the machine is very busy, or something hangs in the kernel; ` +
        "wait, and run the command again. If this error appears again, restart the machine",
    );
  }
}
