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

/** cgroup under which pods and daemons run, in every hierarchy. */
export const CGROUP = "services-orders-sandbox";

function cgroupHierarchies(): string[] {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  return mounts
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, path]) => path ?? "");
}

/** The kubelet refuses a root without one of these, if the machine has it. */
const CONTROLLERS = ["cpu", "cpuset", "hugetlb", "memory", "pids"];

/**
 * CPU share of the sandbox in cgroup v1: that of ten processes outside of it. By default it has the
 * share of one process of the machine's root group, and its pods get nearly no CPU during a build.
 * In cgroup v2 the machine's processes are in groups, and the default is fair.
 */
const cpuShares = 10 * 1024;

/** @param hierarchies where cgroups are mounted */
export function createCgroups(hierarchies: readonly string[] = cgroupHierarchies()): void {
  for (const hierarchy of hierarchies) {
    mkdirSync(join(hierarchy, CGROUP, "daemons"), { recursive: true });
    enableControllers(hierarchy);
    const shares = join(hierarchy, CGROUP, "cpu.shares");
    if (existsSync(shares)) writeFileSync(shares, String(cpuShares));
    // A new cpuset in cgroup v1 is empty, and an empty one accepts no process.
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
 * In cgroup v2 a cgroup has the controllers that its parent enables for its children. A cgroup that
 * enables any must not contain processes, unless it is the machine's root. So the daemons have
 * their own cgroup, and the pods are in those of the kubelet.
 */
function enableControllers(hierarchy: string): void {
  const file = join(hierarchy, "cgroup.controllers");
  const available = existsSync(file) ? readFileSync(file, "utf8").trim().split(" ") : [];
  // cgroup v1 has no such file. If v2 is also mounted, it has the controllers that v1 does not use,
  // and the kubelet uses v1.
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

/** The files to which a process writes its id to join the sandbox's cgroup. */
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
