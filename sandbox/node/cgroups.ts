import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "../../lib/errors";

/** Name of the cgroup in which the sandbox's pods and daemons run, in every cgroup hierarchy. */
export const CGROUP = "services-orders-sandbox";

function cgroupHierarchies(): string[] {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  return mounts
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, path]) => path ?? "");
}

/**
 * cgroup controllers that the kubelet requires in its root cgroup. The sandbox enables only the
 * controllers that the machine has.
 */
const CONTROLLERS = ["cpu", "cpuset", "hugetlb", "memory", "pids"];

/**
 * CPU shares of the sandbox in cgroup v1: ten times the default of 1,024. So when the CPUs are
 * busy, the sandbox gets as much CPU time as ten processes outside the sandbox. With the default,
 * the whole sandbox would get only as much CPU time as one process in the machine's root cgroup,
 * and pods would get almost no CPU time during a build. In cgroup v2, the default is enough,
 * because the machine's other processes are in cgroups, too.
 */
const cpuShares = 10 * 1024;

/**
 * Creates the sandbox's cgroups.
 *
 * @param hierarchies mount points of the cgroup hierarchies
 */
export function createCgroups(hierarchies: readonly string[] = cgroupHierarchies()): void {
  for (const hierarchy of hierarchies) {
    mkdirSync(join(hierarchy, CGROUP, "daemons"), { recursive: true });
    enableControllers(hierarchy);
    const shares = join(hierarchy, CGROUP, "cpu.shares");
    if (existsSync(shares)) writeFileSync(shares, String(cpuShares));
    // In cgroup v1, a new cgroup has an empty cpuset, and accepts no process until its cpuset has
    // values.
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

/**
 * Enables controllers in cgroup v2, where a cgroup has only the controllers that its parent cgroup
 * enables. Only the machine's root cgroup may contain processes and enable controllers at the same
 * time. So the daemons have a separate child cgroup, and pods are in the child cgroups that the
 * kubelet creates.
 */
function enableControllers(hierarchy: string): void {
  const file = join(hierarchy, "cgroup.controllers");
  const available = existsSync(file) ? readFileSync(file, "utf8").trim().split(" ") : [];
  // A hierarchy of cgroup v1 has no file cgroup.controllers. If v1 and v2 are both mounted, v2 has
  // only the controllers that v1 does not use, and the kubelet uses v1.
  if (!available.includes("memory")) {
    return;
  }
  const wanted = CONTROLLERS.filter((controller) => available.includes(controller));
  for (const level of [hierarchy, join(hierarchy, CGROUP)]) {
    try {
      writeFileSync(
        join(level, "cgroup.subtree_control"),
        wanted.map((controller) => `+${controller}`).join(" "),
      );
    } catch (error) {
      throw new UserError(
        `the kernel does not enable the controllers ${wanted.join(", ")} below ${level} (${messageOf(error)}); start the sandbox on the machine itself, not in a container`,
      );
    }
  }
}

/**
 * Returns the paths of the files `cgroup.procs` of the daemons' cgroups. When a program writes the
 * id of a process into these files, the kernel moves this process into the daemons' cgroups.
 */
export function daemonCgroups(): string[] {
  return cgroupHierarchies().map((hierarchy) => join(hierarchy, CGROUP, "daemons", "cgroup.procs"));
}

export function removeCgroups(): void {
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
