import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drift } from "../../../operations/drift/command";
import { parseReport } from "../../../operations/drift/report";
import type { Workspace } from "../../../operations/pulumi/run-pulumi";

const metadata = { name: "orders", namespace: "shop" };
const service = { apiVersion: "v1", kind: "Service", metadata };
const state = {
  deployment: {
    resources: [
      {
        outputs: { clusterUid: "1234" },
        type: "pulumi:pulumi:Stack",
        urn: "urn:pulumi:local::services-orders::pulumi:pulumi:Stack::services-orders-local",
      },
      {
        id: "shop/orders",
        inputs: service,
        outputs: { __fieldManager: "pulumi-kubernetes-0a1b2c3d" },
        type: "kubernetes:core/v1:Service",
        urn: "urn:pulumi:local::services-orders::kubernetes:core/v1:Service::orders",
      },
    ],
  },
};

/**
 * In these tests, scripts replace Pulumi and kubectl. The state contains an object that does not
 * exist in the cluster.
 */
describe("npm run drift", () => {
  let directory: string;
  let workspace: Workspace;
  const program = (name: string, script: string): void => {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-drift-"));
    const PATH = `${directory}:${process.env["PATH"] ?? ""}`;
    workspace = { cwd: directory, env: { PATH, SANDBOX_REGISTRY: "localhost:5000" } };
    program("pulumi", `echo '${JSON.stringify(state)}'`);
    program(
      "kubectl",
      `case "$*" in
         *"get jobs"*|*"get Service"*) echo '{"items":[]}';;
         *"--raw"*) echo '{"metadata":{"uid":"1234"}}';;
         *"jsonpath={.metadata.uid}"*) printf 1234;;
       esac`,
    );
    mock.method(console, "log", () => undefined);
  });
  afterEach(() => {
    mock.restoreAll();
    process.exitCode = undefined;
    rmSync(directory, { force: true, recursive: true });
  });

  it("ends with 3 when something differs", async () => {
    await drift("local", {}, workspace);
    assert.equal(process.exitCode, 3);
  });

  it("ends with 0 when a file says what differs", async () => {
    const output = join(directory, "reports", "drift.json");
    await drift("local", { output }, workspace);
    assert.equal(process.exitCode, undefined);
    assert.deepEqual(parseReport(readFileSync(output, "utf8")), {
      changed: [],
      gone: [{ kind: "Service", ...metadata }],
      stack: "local",
      version: 1,
    });
  });

  it("writes no file when the cluster cannot be read", async () => {
    program("kubectl", "echo refused >&2; exit 1");
    const output = join(directory, "drift.json");
    await assert.rejects(drift("local", { output }, workspace), /cannot be read/);
    assert.ok(!existsSync(output));
  });
});
