import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";
import { eventually } from "../../lib/time";
import { daemonCgroups } from "./cgroups";
import { toolEnvironment } from "../install/debian";
import { paths, root } from "../layout";
import { logFile } from "../logs";
import { initPid, nsenterArguments, type SandboxProcess, sandboxProcesses } from "./processes";

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

/** The daemon's process id on the machine, if it runs. */
export function daemonPid(
  name: string,
  processes: readonly SandboxProcess[] = sandboxProcesses(),
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
    names.flatMap((name) => (shell[name] === undefined ? [] : [[name, shell[name]]])),
  );
}

/** Starts daemons, one after the other, unless they already run. */
export async function startDaemons(...daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) await startDaemon(daemon);
}

/** Starts a daemon. It continues after this process ends. Its output goes to its log. */
async function startDaemon(daemon: Daemon): Promise<void> {
  const pid = initPid();
  if (daemonPid(daemon.name) !== undefined || pid === undefined) {
    return;
  }
  // nsenter's child is the first process inside: it starts the daemon, writes down its id, and
  // ends.
  const start =
    'log=$1; pid_file=$2; shift 2; for cgroup in $CGROUPS; do echo $$ > "$cgroup"; done; setsid "$@" </dev/null >>"$log" 2>&1 & echo $! > "$pid_file"';
  await command(
    "nsenter",
    [
      ...nsenterArguments(pid, daemon.network),
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
  await eventually(() => daemonPid(daemon.name) !== undefined, 2_000, 10);
}
