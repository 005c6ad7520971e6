import "../support/temporary";
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../../lib/errors";
import { CGROUP, createCgroups } from "../../../sandbox/node/cgroups";

describe("the sandbox's cgroups", () => {
  let hierarchy: string;
  beforeEach(() => {
    hierarchy = mkdtempSync(join(tmpdir(), "services-orders-cgroups-"));
  });
  afterEach(() => {
    rmSync(hierarchy, { force: true, recursive: true });
  });

  const enabled = (...level: readonly string[]): string | undefined => {
    const file = join(hierarchy, ...level, "cgroup.subtree_control");
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  };

  it("of v2 have the kubelet's controllers, and so have those below, except the one with processes", () => {
    writeFileSync(
      join(hierarchy, "cgroup.controllers"),
      "cpuset cpu io memory hugetlb pids rdma misc\n",
    );
    createCgroups([hierarchy]);
    assert.equal(enabled(), "+cpu +cpuset +hugetlb +memory +pids");
    assert.equal(enabled(CGROUP), "+cpu +cpuset +hugetlb +memory +pids");
    assert.equal(enabled(CGROUP, "daemons"), undefined);
  });

  it("of v2 ask for no controller that the machine does not have", () => {
    writeFileSync(join(hierarchy, "cgroup.controllers"), "cpuset cpu io memory pids\n");
    createCgroups([hierarchy]);
    assert.equal(enabled(), "+cpu +cpuset +memory +pids");
    assert.equal(enabled(CGROUP), "+cpu +cpuset +memory +pids");
  });

  for (const left of ["", "hugetlb"]) {
    it(`of v2 next to v1 leave the machine's as they are, when v2 has "${left}"`, () => {
      writeFileSync(join(hierarchy, "cgroup.controllers"), `${left}\n`);
      createCgroups([hierarchy]);
      assert.deepEqual(readdirSync(hierarchy).sort(), ["cgroup.controllers", CGROUP]);
      assert.deepEqual(readdirSync(join(hierarchy, CGROUP)), ["daemons"]);
    });
  }

  it("of v2 that the kernel does not give are an error that says what to do", () => {
    writeFileSync(join(hierarchy, "cgroup.controllers"), "cpuset cpu memory pids\n");
    // The test creates a directory with the name of the file, so the write fails. In a container,
    // the write may fail because the root cgroup contains processes.
    mkdirSync(join(hierarchy, "cgroup.subtree_control"));
    assert.throws(
      () => {
        createCgroups([hierarchy]);
      },
      (error) => {
        assert.ok(error instanceof UserError);
        assert.match(
          error.message,
          /^the kernel does not enable the controllers cpu, cpuset, memory, pids below .*; start the sandbox on the machine itself, not in a container$/,
        );
        return true;
      },
    );
  });

  it("of v1 get as much CPU as ten processes of the machine", () => {
    const file = join(hierarchy, CGROUP, "cpu.shares");
    mkdirSync(join(hierarchy, CGROUP), { recursive: true });
    writeFileSync(file, "1024\n");
    createCgroups([hierarchy]);
    assert.equal(readFileSync(file, "utf8"), "10240");
  });

  it("of v1 start with the machine's processors and memory nodes", () => {
    for (const level of ["", CGROUP, join(CGROUP, "daemons")]) {
      mkdirSync(join(hierarchy, level), { recursive: true });
      for (const file of ["cpuset.cpus", "cpuset.mems", "tasks"]) {
        writeFileSync(join(hierarchy, level, file), "");
      }
    }
    writeFileSync(join(hierarchy, "cpuset.cpus"), "0-1\n");
    writeFileSync(join(hierarchy, "cpuset.mems"), "0\n");
    createCgroups([hierarchy]);
    for (const level of [CGROUP, join(CGROUP, "daemons")]) {
      assert.equal(readFileSync(join(hierarchy, level, "cpuset.cpus"), "utf8"), "0-1\n");
      assert.equal(readFileSync(join(hierarchy, level, "cpuset.mems"), "utf8"), "0\n");
    }
    assert.equal(enabled(), undefined);
  });
});
