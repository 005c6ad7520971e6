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
  /** `node`: in the sandbox's own network. `edge`: in the machine's, to be reached on 127.0.0.1. */
  readonly network: "node" | "edge";
  readonly env?: Readonly<Record<string, string>>;
}

const pidFile = (name: string): string => join(paths.run, `${name}.pid`);

export const logFile = (name: string): string => join(paths.logs, `${name}.log`);

/** Process of a daemon, when it runs: its id on the machine. */
export function daemonPid(
  name: string,
  processes: readonly BoxProcess[] = boxProcesses(),
): number | undefined {
  if (!existsSync(pidFile(name))) {
    return undefined;
  }
  const inside = Number(readFileSync(pidFile(name), "utf8"));
  // Every daemon's program lies in the sandbox's directory; a pod's process that got the same id since does not.
  return processes.find(
    (process) => process.pidInside === inside && process.commandLine.startsWith(`${root}/`),
  )?.pid;
}

/** Variables that say where certificates, time zones and the home directory are. */
const inherited = ["HOME", "LANG", "SSL_CERT_DIR", "SSL_CERT_FILE", "TZ"];
/** Variables of a proxy. A daemon in the node's network reaches no proxy, and must not ask one. */
const proxied = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"];

/**
 * What a daemon gets of the shell's variables. It does not get those of a login: containerd writes
 * into the XDG_RUNTIME_DIR of a login (/run/user/0), which the node does not have, and then no
 * container starts.
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
  // The new process is the shell's copy first, and the daemon a moment later.
  for (let attempt = 0; attempt < 100 && daemonPid(daemon.name) === undefined; attempt += 1) {
    await sleep(10);
  }
}

/** The last lines of a daemon's log, to explain why it is not what it should be. */
export function lastWords(daemon: Daemon, lines = 12): string {
  const log = logFile(daemon.name);
  return existsSync(log)
    ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-lines).join("\n")
    : "";
}
