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

// Finds everything that can be wrong before anything has changed.

/**
 * Free space that a first set-up needs: parts, images, registry and, in Go's own caches, their
 * sources and build results.
 */
const COLD_GIB = 14;
/** Free space that a sandbox needs for images, logs and volumes once everything is built. */
const WARM_GIB = 2;
const GIB = 1024 ** 3;

export async function preflight(options: Options, everythingBuilt: boolean): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new UserError(
      "the sandbox makes namespaces, mounts and a network interface, so root must start it; run the command again with sudo",
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
          `--ingress-port and --registry-port must differ, both are ${String(options.ingressPort)}; choose another for one of them`,
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
 * Two sandboxes would have the same addresses. The interface of a killed sandbox disappears a
 * moment later.
 */
async function checkAlone(): Promise<void> {
  if (!(await eventually(() => !existsSync(`/sys/class/net/${net.outside}`), 3_000))) {
    throw new UserError(
      `another sandbox, with another SANDBOX_DIR than ${root}, runs on this machine (network interface ${net.outside}); stop it first: SANDBOX_DIR=<its directory> npm run sandbox -- down`,
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
 * Runs `work` while no other command starts or stops the sandbox. The kernel releases the lock when
 * its command is killed. The text in the lock file only names the command that has it.
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

/** @returns the lock's open file; the lock lasts until it is closed */
function takeLock(path: string): number {
  for (;;) {
    const file = openSync(path, "a+");
    // flock locks the open file that it inherits from this process, so the lock stays after flock
    // has ended.
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
    // We have the lock, but its previous owner removed the file after we opened it: others would
    // not see it.
    if (status !== 0) {
      throw new UserError(
        `another command is working on the sandbox${holder(path)}; wait until it has ended and run this one again`,
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
    // The other command has only just taken the lock, or has released it since.
    return "";
  }
}
