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
   * Network in which the daemon runs. `node` is the sandbox's own network. `edge` is the machine's
   * network: programs on the machine can reach the daemon on 127.0.0.1.
   */
  readonly network: "node" | "edge";
  readonly env?: Readonly<Record<string, string>>;
}

const pidFile = (name: string): string => join(paths.run, `${name}.pid`);

/** Returns the daemon's process id on the machine. Undefined if the daemon does not run. */
export function daemonPid(
  name: string,
  processes: readonly SandboxProcess[] = sandboxProcesses(),
): number | undefined {
  if (!existsSync(pidFile(name))) {
    return undefined;
  }
  const inside = Number(readFileSync(pidFile(name), "utf8"));
  // After the daemon has ended, a process in a pod may get the same process id. Only a daemon's
  // program is in the sandbox's directory, so the command line shows whether the process is a
  // daemon.
  return processes.find(
    (process) => process.pidInside === inside && process.commandLine.startsWith(`${root}/`),
  )?.pid;
}

/** Environment variables for certificates, time zone, language and home directory. */
const inherited = ["HOME", "LANG", "SSL_CERT_DIR", "SSL_CERT_FILE", "TZ"];
/**
 * Environment variables for a proxy. Daemons in the node's network do not get these variables,
 * because such daemons cannot reach a proxy.
 */
const proxied = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"];

/**
 * Returns the shell's environment variables that a daemon receives. Leaves out variables of a login
 * session, such as XDG_RUNTIME_DIR (/run/user/0). With XDG_RUNTIME_DIR, containerd could not start
 * any container, because /run/user/0 does not exist on the node.
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

/** Starts the daemons that do not run yet, one after the other. */
export async function startDaemons(...daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) await startDaemon(daemon);
}

/**
 * Starts a daemon, if the daemon does not run yet. The daemon continues to run after this process
 * has ended. The output of the daemon goes to the daemon's log file.
 */
async function startDaemon(daemon: Daemon): Promise<void> {
  const pid = initPid();
  if (daemonPid(daemon.name) !== undefined || pid === undefined) {
    return;
  }
  // nsenter runs this shell script in the sandbox's namespaces. The script starts the daemon in the
  // background, writes the daemon's process id to a file, and ends.
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
  // Waits until the new process runs the daemon's program. Until then, the process is a copy of the
  // shell.
  await eventually(() => daemonPid(daemon.name) !== undefined, 2_000, 10);
}
