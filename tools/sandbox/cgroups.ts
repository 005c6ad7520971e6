import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** cgroup under which pods and daemons run, in every hierarchy. */
export const CGROUP = "services-orders-sandbox";

function cgroupHierarchies(): string[] {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  return mounts
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, path]) => path ?? "");
}

export function createCgroups(): void {
  for (const hierarchy of cgroupHierarchies()) {
    mkdirSync(join(hierarchy, CGROUP, "daemons"), { recursive: true });
    // cgroup v1 starts a cpuset empty, and an empty one takes no process.
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

/** Where a process writes its id, to be counted with the sandbox. */
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
