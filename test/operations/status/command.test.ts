import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "../../../operations/status/command";
import type { Workspace } from "../../../operations/pulumi/run-pulumi";

const digest = `sha256:${"0123456789ab".padEnd(64, "0")}`;
const outputs = {
  branch: "main",
  clusterUid: "1234",
  commit: "3f2c9e1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  imageRef: `registry.example/orders@${digest}`,
  url: "http://orders.example/",
};
const resources = [
  {
    outputs,
    type: "pulumi:pulumi:Stack",
    urn: "urn:pulumi:local::services-orders::pulumi:pulumi:Stack::services-orders-local",
  },
];
const history = [
  {
    endTime: "2026-11-23T06:47:15.000Z",
    kind: "update",
    message: `Release of main at ${outputs.commit} by Ada`,
    result: "failed",
    startTime: "2026-11-23T06:46:00.000Z",
  },
];
const deployment = { spec: { replicas: 3 }, status: { readyReplicas: 2, updatedReplicas: 1 } };
const cronJob = {
  metadata: { creationTimestamp: "2026-11-01T00:00:00Z", name: "nightly" },
  spec: { jobTemplate: { spec: {} }, schedule: "0 3 * * *", suspend: true },
};

/**
 * In these tests, scripts replace Pulumi and kubectl. The scripts answer only the requests of
 * `npm run status`, and fail for every other request.
 */
describe("npm run status", () => {
  let directory: string;
  let workspace: Workspace;
  let printed: string[];
  const program = (name: string, script: string): void => {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  const json = (value: unknown): string => `echo '${JSON.stringify(value)}'`;
  const kubectl = (deployments: string): void => {
    program(
      "kubectl",
      `case "$*" in
         *"--raw"*) ${json({ metadata: { uid: "1234" } })};;
         *"get deployments"*) ${deployments};;
         *"get cronjobs"*) ${json({ items: [cronJob] })};;
         *"get jobs"*) ${json({ items: [] })};;
         *) exit 1;;
       esac`,
    );
  };
  const pulumi = (tags: Readonly<Record<string, string>>): void => {
    program(
      "pulumi",
      `case "$*" in
         "stack ls"*) ${json([{ name: "local" }])};;
         "stack tag ls"*) ${json(tags)};;
         "stack history"*) ${json(history)};;
         "stack export"*) ${json({ deployment: { resources } })};;
         *) exit 1;;
       esac`,
    );
  };
  const linesOf = async (...args: Parameters<typeof status>): Promise<readonly string[]> => {
    await status(args[0], args[1], workspace);
    return printed.join("\n").split("\n");
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-status-"));
    const state = join(directory, "state");
    mkdirSync(state);
    writeFileSync(join(directory, "Pulumi.yaml"), "name: services-orders\nruntime: nodejs\n");
    workspace = {
      cwd: directory,
      env: {
        PATH: `${directory}:${process.env["PATH"] ?? ""}`,
        PULUMI_BACKEND_URL: `file://${state}`,
        SANDBOX_REGISTRY: "localhost:5000",
      },
    };
    kubectl(json({ items: [deployment] }));
    pulumi({});
    printed = [];
    mock.method(console, "log", (text: string) => printed.push(text));
  });
  afterEach(() => {
    mock.restoreAll();
    rmSync(directory, { force: true, recursive: true });
  });

  it("shows the release, the update that failed after it, the pods and the jobs", async () => {
    assert.deepEqual(await linesOf("local"), [
      "Stack local in namespace services-orders-local of the kubeconfig's current context: http://orders.example/",
      "  release       3f2c9e1 of main, image 0123456789ab",
      "  last update   failed 2026-11-23 06:46 UTC by Ada, took 1m 15s",
      "  next release  none promoted",
      "  hold          none",
      "  lock          none",
      "  pods          2 of 3 ready, 1 of the newest revision",
      "  jobs          1, all suspended",
      "  job notifier  not set up, and no job has onFailure",
      "  drift         none",
    ]);
  });

  it("shows for how long the job notifier has not succeeded, and why", async () => {
    const folder = join(directory, "state", "notifier", "services-orders");
    mkdirSync(folder, { recursive: true });
    const ran = new Date(Date.now() - 3 * 3_600_000).toISOString();
    const memory = { jobs: {}, ran, trouble: "Slack answered 404: no_service", version: 1 };
    writeFileSync(join(folder, "local.json"), JSON.stringify(memory));
    const lines = await linesOf("local");
    assert.ok(
      lines.includes("  job notifier  has not succeeded for 3 h: Slack answered 404: no_service"),
      lines.join("\n"),
    );
  });

  it("shows who holds the stack, the promoted release and the lock, each with its command", async () => {
    const hold = { by: "Ada", reason: "wrong totals", since: "2026-11-23T06:46:00.000Z" };
    const promoted = { branch: "main", commit: "4d5e6f7", imageRef: outputs.imageRef };
    pulumi({ hold: JSON.stringify(hold), promoted: JSON.stringify(promoted) });
    const locks = join(
      directory,
      "state",
      ".pulumi",
      "locks",
      "organization",
      "services-orders",
      "local",
    );
    mkdirSync(locks, { recursive: true });
    const owner = {
      hostname: "laptop",
      pid: 7,
      timestamp: "2026-11-23T06:50:00Z",
      username: "ada",
    };
    writeFileSync(join(locks, "1.json"), JSON.stringify(owner));
    const lines = await linesOf("local");
    const [next, held, locked] = ["  next release", "  hold", "  lock"].map((start) =>
      lines.find((line) => line.startsWith(start))?.slice("  next release  ".length),
    );
    assert.equal(next, "4d5e6f7 of main, image 0123456789ab");
    assert.equal(held, "since 2026-11-23 06:46 UTC by Ada: wrong totals (npm run resume -- local)");
    assert.equal(
      locked,
      "ada on laptop, process 7, since 2026-11-23 06:50 UTC (npm run unlock -- local)",
    );
  });

  it("says why one fact is unknown, and shows the others", async () => {
    kubectl("echo 'deployments is forbidden (Forbidden)' >&2; exit 1");
    const lines = await linesOf("local");
    assert.match(lines.find((line) => line.startsWith("  pods")) ?? "", /unknown: .*Forbidden/);
    assert.ok(lines.includes("  jobs          1, all suspended"));
  });

  it("shows one line for each stack with --all", async () => {
    assert.deepEqual(await linesOf(undefined, { all: true }), [
      "stack  commit   last update  pods  jobs  hold  drift  expiry",
      "local  3f2c9e1  failed       2/3   -     -     -      -",
    ]);
  });

  it("prints the same facts as JSON, with null for what does not exist", async () => {
    await status("local", { json: true }, workspace);
    const { stacks } = JSON.parse(printed.join("\n")) as { stacks: Record<string, unknown>[] };
    assert.deepEqual(stacks[0]?.["hold"], { value: null });
    assert.deepEqual(stacks[0]["pods"], { value: { ready: 2, updated: 1, wanted: 3 } });
  });

  it("refuses a stack that does not exist, and a call without a stack", async () => {
    await assert.rejects(status("staging", {}, workspace), /Stack "staging" does not exist/);
    await assert.rejects(status(undefined, {}, workspace), /Name a stack, or pass --all/);
  });
});
