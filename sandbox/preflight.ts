import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from "node:fs";
import { once } from "node:events";
import { createConnection } from "node:net";
import { dirname, join } from "node:path";
import { UserError } from "../lib/errors";
import { eventually } from "../lib/time";
import { initPid } from "./node/processes";
import { checkRoot, net, type Options, root } from "./layout";

// The sandbox calls the function `preflight` before the sandbox changes anything on the machine.

/**
 * Free disk space that a start needs if parts or Debian packages are missing, in GiB. The start
 * uses this space for parts, images and the registry, and for sources and build results in Go's
 * caches.
 */
const COLD_GIB = 14;
/**
 * Free disk space that a start needs if all parts and Debian packages are installed, in GiB. The
 * start uses this space for images, logs and volumes.
 */
const WARM_GIB = 2;
const GIB = 1024 ** 3;
/** What a developer can do if the sandbox cannot start. */
const otherWay = "use a cluster that you have: npm run up -- --context NAME --registry ADDRESS";

export async function preflight(options: Options, everythingBuilt: boolean): Promise<void> {
  if (process.platform !== "linux") {
    throw new UserError(`the sandbox needs Linux; ${otherWay} (docs/own-cluster.md)`);
  }
  if (process.getuid?.() !== 0) {
    throw new UserError(
      `the sandbox makes namespaces, mounts and a network interface, so root must start it; run the command again with sudo, or ${otherWay}`,
    );
  }
  checkRoot();
  const { bavail, bsize } = statfsSync(nearestExisting(root));
  const free = (bavail * bsize) / GIB;
  const needed = everythingBuilt ? WARM_GIB : COLD_GIB;
  if (free < needed) {
    throw new UserError(
      `${root} must have ${String(needed)} GiB free, it has ${free.toFixed(1)}; free some space, or set SANDBOX_DIR to a directory on a larger disk`,
    );
  }
  if (initPid() === undefined) {
    if (options.kubeconfig === undefined) {
      if (options.registry === undefined && options.ingressPort === options.registryPort) {
        throw new UserError(
          `--ingress-port and --registry-port must differ, both are ${String(options.ingressPort)}; choose another port for one of them`,
        );
      }
      await checkAlone();
      await checkPort(options.ingressPort, "ingress controller", "--ingress-port");
    }
    if (options.registry === undefined) {
      await checkPort(options.registryPort, "registry", "--registry-port");
    }
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

/**
 * Checks that no other sandbox runs, because two sandboxes would have the same IP addresses. Waits
 * up to 3 s, because the kernel removes the network interface of a killed sandbox with a delay.
 */
async function checkAlone(): Promise<void> {
  if (!(await eventually(() => !existsSync(`/sys/class/net/${net.outside}`), 3_000))) {
    throw new UserError(
      `another sandbox runs on this machine (network interface ${net.outside}), and its SANDBOX_DIR is not ${root}; stop that sandbox first: SANDBOX_DIR=<its directory> npm run sandbox -- down`,
    );
  }
}

async function checkPort(port: number, what: string, flag: string): Promise<void> {
  const socket = createConnection({ host: "127.0.0.1", port });
  const isTaken = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  if (isTaken) {
    throw new UserError(
      `port ${String(port)} on 127.0.0.1, for the sandbox's ${what}, is used by another program; stop that program, or choose another port: npm run sandbox -- up ${flag} ${String(port + 10_000 > 65_535 ? port - 10_000 : port + 10_000)}`,
    );
  }
}

/**
 * Holds a lock while `work` runs, so that no other command starts or stops the sandbox. If this
 * process is killed, the kernel releases the lock. The lock file contains the name of the command
 * that holds the lock. Error messages show this name.
 */
export async function exclusively<T>(what: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const path = join(root, "lock");
  const lock = takeLock(path);
  ftruncateSync(lock);
  writeSync(lock, JSON.stringify({ pid: process.pid, what }));
  let held = true;
  const release = (): void => {
    if (held) {
      held = false;
      rmSync(path, { force: true });
      closeSync(lock);
    }
  };
  process.once("exit", release);
  try {
    return await work();
  } finally {
    release();
    process.off("exit", release);
  }
}

/**
 * Takes the lock on a file.
 *
 * @returns the file descriptor of the lock file. The lock lasts until this process closes the
 * descriptor.
 */
function takeLock(path: string): number {
  for (;;) {
    const file = openSync(path, "a+");
    // The program `flock` locks the open file that it inherits from this process. The lock belongs
    // to the open file, so the lock remains after `flock` has ended.
    const { error, status } = spawnSync("flock", ["--nonblock", "3"], {
      stdio: ["ignore", "ignore", "inherit", file],
    });
    if (status === 0 && isAt(path, file)) {
      return file;
    }
    closeSync(file);
    if (error !== undefined) {
      throw new UserError(
        `could not run flock (${error.message}); install Debian's package util-linux`,
      );
    }
    // If the status is 0, this process has locked a file that the previous holder of the lock has
    // already removed. Such a lock does not stop other commands, so the loop tries again.
    if (status !== 0) {
      throw new UserError(
        `another command is working on the sandbox${holder(path)}; wait until that command has ended, then run this command again`,
      );
    }
  }
}

function isAt(path: string, file: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(file).ino;
}

function holder(path: string): string {
  try {
    const { pid, what } = JSON.parse(readFileSync(path, "utf8")) as { pid: number; what: string };
    return ` (${what}, process ${String(pid)})`;
  } catch {
    // The other command has not written its name yet, or has already released the lock.
    return "";
  }
}
