import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../../lib/command";
import { daemonCgroups } from "./cgroups";
import { toolEnvironment } from "../install/debian";
import { paths, root } from "../layout";
import { boxPid, type BoxProcess, boxProcesses, enter } from "./processes";

/** A long-running program of the sandbox. */
export interface Daemon {
  readonly name: string;
  readonly argv: readonly string[];
  /**
   * `node`: in the sandbox's own network. `edge`: in the machine's network, reachable on 127.0.0.1.
   */
  readonly network: "node" | "edge";
  readonly env?: Readonly<Record<string, string>>;
}

const pidFile = (name: string): string => join(paths.run, `${name}.pid`);

export const logFile = (name: string): string => join(paths.logs, `${name}.log`);

/** The daemon's process id on the machine, if it runs. */
export function daemonPid(
  name: string,
  processes: readonly BoxProcess[] = boxProcesses(),
): number | undefined {
  if (!existsSync(pidFile(name))) {
    return undefined;
  }
  const inside = Number(readFileSync(pidFile(name), "utf8"));
  // Every daemon's program is in the sandbox's directory. A process of a pod that later received
  // the same id is not.
  return processes.find(
    (process) => process.pidInside === inside && process.commandLine.startsWith(`${root}/`),
  )?.pid;
}

/** Variables for the location of certificates, time zones and the home directory. */
const inherited = ["HOME", "LANG", "SSL_CERT_DIR", "SSL_CERT_FILE", "TZ"];
/**
 * Variables of a proxy. A daemon in the node's network cannot reach a proxy and must not use one.
 */
const proxied = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"];

/**
 * The shell's variables that a daemon receives. It does not receive those of a login: containerd
 * would write into the login's XDG_RUNTIME_DIR (/run/user/0), which the node does not have, and
 * then no container starts.
 */
export function daemonEnvironment(
  shell: Readonly<Record<string, string | undefined>>,
  network: Daemon["network"],
): Record<string, string> {
  const names = network === "edge" ? [...inherited, ...proxied] : inherited;
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = shell[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * Starts a daemon, unless it already runs. It continues after this process ends. Its output goes to
 * its log.
 */
export async function startDaemon(daemon: Daemon): Promise<void> {
  const pid = boxPid();
  if (daemonPid(daemon.name) !== undefined || pid === undefined) {
    return;
  }
  // nsenter's child is the first process inside: it starts the daemon, writes down its id, and
  // ends.
  const start =
    'log=$1; note=$2; shift 2; for cgroup in $CGROUPS; do echo $$ > "$cgroup"; done; setsid "$@" </dev/null >>"$log" 2>&1 & echo $! > "$note"';
  await command(
    "nsenter",
    [
      ...enter(pid, daemon.network),
      ...["sh", "-c", start, "sh", logFile(daemon.name), pidFile(daemon.name)],
      ...daemon.argv,
    ],
    {
      env: {
        ...daemonEnvironment(process.env, daemon.network),
        ...toolEnvironment,
        ...daemon.env,
        CGROUPS: daemonCgroups()
          .filter((cgroup) => existsSync(cgroup))
          .join(" "),
      },
      extendEnv: false,
      timeout: 20_000,
    },
  );
  // The new process is first a copy of the shell, and a moment later the daemon.
  for (let attempt = 0; attempt < 100 && daemonPid(daemon.name) === undefined; attempt += 1) {
    await sleep(10);
  }
}

/** The last lines of a daemon's log, to explain what is wrong with it. */
export function lastWords(daemon: Daemon, lines = 12): string {
  const log = logFile(daemon.name);
  return existsSync(log)
    ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-lines).join("\n")
    : "";
}
