import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { command } from "../../../lib/command";
import { tool, toolEnvironment } from "../../../sandbox/install/debian";
import { root } from "../../../sandbox/layout";

const run = async (program: string, ...args: string[]): Promise<string> =>
  command(tool(program), args, { env: toolEnvironment });

const withoutCounters = (rules: string): string =>
  rules.replace(/^#.*$/gm, "").replace(/\[\d+:\d+\]/g, "");

/**
 * Returns everything on the machine that a sandbox could leave behind, such as directories, cgroups
 * and processes.
 */
export async function machine(): Promise<Record<string, string>> {
  return {
    mounts: readFileSync("/proc/self/mounts", "utf8"),
    interfaces: (await run("ip", "-brief", "link")).replace(/ +/g, " "),
    routes: await run("ip", "route", "show", "table", "all"),
    rules: await run("ip", "rule", "show"),
    iptables: withoutCounters(await run("iptables-save")),
    ip6tables: withoutCounters(await run("ip6tables-save")),
    settings: [
      "net/ipv4/ip_forward",
      "vm/overcommit_memory",
      "kernel/panic",
      "kernel/panic_on_oops",
    ]
      .map((name) => `${name}=${readFileSync(`/proc/sys/${name}`, "utf8").trim()}`)
      .join("\n"),
    cgroups: cgroups().join("\n"),
    processes: sandboxProcesses().join("\n"),
    directories: directories().join("\n"),
  };
}

/**
 * Returns which of the default directories of a node's daemons exist. The sandbox sets other paths,
 * so the sandbox must not create these directories.
 */
function directories(): string[] {
  const homes = join(homedir(), ".kube");
  return ["/opt/containerd", "/usr/libexec/kubernetes", homes, "/run/user/0/cri-containerd"].filter(
    (path) => existsSync(path),
  );
}

/**
 * Returns the sandbox's cgroups. If only cgroup v2 is mounted, these cgroups are directly below the
 * mount point. Otherwise, each hierarchy contains such cgroups.
 */
function cgroups(): string[] {
  const mount = "/sys/fs/cgroup";
  const hierarchies = readdirSync(mount, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(mount, name));
  return [mount, ...hierarchies].flatMap((level) =>
    readdirSync(level)
      .filter((name) => name.startsWith("services-orders"))
      .map((name) => join(level, name)),
  );
}

/**
 * Returns the processes that run a program of the sandbox's directory, or that are in another PID
 * namespace.
 */
function sandboxProcesses(): string[] {
  const ours = readlinkSync("/proc/self/ns/pid");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        // If the first word is an interpreter, the second word is the script.
        const belongs =
          words.slice(0, 2).some((word) => word.startsWith(`${root}/`)) ||
          readlinkSync(`/proc/${pid}/ns/pid`) !== ours;
        return belongs ? [`${pid} ${words.join(" ").trim()}`] : [];
      } catch {
        return [];
      }
    });
}
