import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { mock } from "node:test";
import { WrongUse } from "../../../lib/errors";
import { kubectlFor, startFor } from "../../../operations/clients/kubectl";
import { run } from "../../../operations/run/command";
import { follow } from "../../../operations/run/follow";
import { jobOf, lineOf, nameOf } from "../../../operations/run/job";
import { Programs } from "../support/programs";
import { OutputStandIn } from "./stand-in";

const image = `registry/orders@sha256:${"a".repeat(64)}`;
const template = {
  metadata: { labels: { app: "orders" }, name: "orders" },
  template: {
    metadata: { labels: { app: "orders" } },
    spec: {
      containers: [
        { args: ["--help"], image, name: "command" },
        { image, name: "output" },
      ],
      restartPolicy: "Never",
    },
  },
};

const podWith = (command: object, output: object) => ({
  metadata: { creationTimestamp: new Date().toISOString(), name: "run-1-abc" },
  status: {
    containerStatuses: [
      { name: "command", ready: false, restartCount: 0, state: command },
      { name: "output", ready: true, restartCount: 0, state: output },
    ],
    phase: "Running",
  },
});
const json = (value: object) => `echo '${JSON.stringify(value)}'`;
const args = ["export", "--since", "1d"];

describe("the Job of a command", () => {
  it("has the pod of the template, with the arguments and annotations of the command", () => {
    const request = { args, deadlineSeconds: 60, reason: "audit", who: "ada" };
    const job = jobOf("run-1", template, request) as {
      metadata: { annotations: object };
      spec: { template: { spec: object } };
    };
    const annotations = {
      "run/by": "ada",
      "run/command": "export --since 1d",
      "run/reason": "audit",
    };
    assert.deepEqual(job, {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        annotations,
        labels: { app: "orders", "run/template": "orders" },
        name: "run-1",
      },
      spec: {
        activeDeadlineSeconds: 60,
        backoffLimit: 0,
        template: {
          metadata: { annotations, labels: { app: "orders" } },
          spec: {
            containers: [
              { args, image, name: "command" },
              { image, name: "output" },
            ],
            restartPolicy: "Never",
          },
        },
        ttlSecondsAfterFinished: 432_000,
      },
    });
  });

  it("has a new and legal name each time", () => {
    const texts = ["export", "export", "--Help!", "x".repeat(90)];
    const names = texts.map((text) => nameOf("run", text));
    assert.equal(new Set(names).size, 4);
    for (const name of names) assert.match(name, /^run-[a-z0-9](?:[a-z0-9-]{0,57}[a-z0-9])$/);
    assert.equal(lineOf(["export", "a b"]), 'export "a b"');
  });
});

/** In these tests, a script replaces kubectl. */
describe("npm run run", () => {
  let programs: Programs;
  let pod: OutputStandIn;
  const opened: OutputStandIn[] = [];
  let printed: string[];
  let received: string;
  beforeEach(() => {
    programs = new Programs();
    printed = [];
    received = "";
    mock.method(console, "error", (text: unknown) => printed.push(String(text)));
  });
  afterEach(() => {
    mock.restoreAll();
    process.exitCode = undefined;
    programs.remove();
    for (const one of opened.splice(0)) one.close();
  });

  /** Runs the command in a cluster with this pod. Returns the exit code. */
  async function codeOf(
    found: object | undefined,
    { stack = "local", templates = json(template), ...options }: Record<string, string> = {},
  ): Promise<number | string | undefined> {
    pod = new OutputStandIn(Buffer.from("id,total\n1,2\n"), [4]);
    opened.push(pod);
    const port = String(await pod.listen());
    programs.add("kubectl", {
      "*--raw*": `echo '{"metadata":{"uid":"here"}}'`,
      "*get podtemplate *": templates,
      "*get pods*": json({ items: found === undefined ? [] : [found] }),
      "*logs run-1-abc --container command*": "echo '2026-11-27T03:30:01Z exporting'",
      "*port-forward*": `echo "Forwarding from 127.0.0.1:${port} -> 8082"; exec sleep 60`,
    });
    const write = process.stdout.write.bind(process.stdout);
    mock.method(process.stdout, "write", (part: unknown, done: unknown) => {
      if (!Buffer.isBuffer(part)) return write(String(part));
      received += part.toString("utf8");
      (done as () => void)();
      return true;
    });
    mock.method(process.stderr, "write", (part: unknown) => printed.push(String(part)) > 0);
    const workspace = programs.workspace({ SANDBOX_REGISTRY: "localhost:5000" });
    await run(stack, args, options, workspace);
    return process.exitCode;
  }
  const called = (part: string): boolean => programs.calls.some((call) => call.includes(part));

  it("passes the output and the exit code on, and the messages to standard error", async () => {
    const ended = podWith({ terminated: { exitCode: 2, reason: "Error" } }, { running: {} });
    assert.equal(await codeOf(ended), 2);
    assert.equal(received, "id,total\n1,2\n");
    const text = printed.join("\n");
    assert.match(
      text,
      /^Stack local, namespace \S+: runs "export --since 1d" of image a{12} as Job run-export-/,
    );
    assert.match(text, /^exporting$/m);
    assert.match(text, /ended with exit code 2 \(Error\) after .*, 13 bytes of output/);
    assert.equal(pod.received, true);
    assert.ok(called("create --filename -"));
  });

  it("writes the output into a file, which exists only if the output is complete", async () => {
    const ended = podWith({ terminated: { exitCode: 0 } }, { running: {} });
    const output = join(programs.directory, "out", "orders.csv");
    assert.equal(await codeOf(ended, { output }), 0);
    assert.equal(readFileSync(output, "utf8"), "id,total\n1,2\n");
    assert.equal(received, "");
    assert.deepEqual(readdirSync(dirname(output)), ["orders.csv"]);
  });

  it("says that a command was out of memory", async () => {
    const killed = podWith({ terminated: { exitCode: 137, reason: "OOMKilled" } }, { running: {} });
    assert.equal(await codeOf(killed), 137);
    assert.match(printed.join("\n"), /used more memory than its limit/);
  });

  it("ends with 125 if the command cannot begin, and deletes the Job", async () => {
    const failed = {
      ...podWith({}, {}),
      status: { message: "no disk", phase: "Failed", reason: "Evicted" },
    };
    assert.equal(await codeOf(failed), 125);
    assert.match(printed.join("\n"), /cannot start: Evicted: no disk/);
    assert.ok(called("delete job run-export-"));
  });

  it("ends with 125 if the pod can no longer send the output", async () => {
    const ended = { terminated: { exitCode: 0, reason: "Completed" } };
    mock.method(OutputStandIn.prototype, "listen", async () => Promise.resolve(1));
    assert.equal(await codeOf(podWith(ended, ended)), 125);
    assert.match(printed.join("\n"), /the output is not complete \(0 bytes of output received\)/);
    assert.ok(!called("delete job"));
  });

  it("does not wait for the output of a JVM that could not start", async () => {
    pod = new OutputStandIn(undefined);
    opened.push(pod);
    const port = String(await pod.listen());
    const ended = podWith({ terminated: { exitCode: 1, reason: "Error" } }, { running: {} });
    programs.add("kubectl", {
      "*get pods*": json({ items: [ended] }),
      "*logs *": "true",
      "*port-forward*": `echo "Forwarding from 127.0.0.1:${port} -> 8082"; exec sleep 60`,
    });
    const { env } = programs.workspace();
    const cluster = { kubectl: kubectlFor([], env), start: startFor([], env), uid: "here" };
    const where = { cluster, name: "run-1", namespace: "shop" };
    const end = await follow(where, async () => Promise.resolve(), { patienceMs: 100 });
    assert.equal(end.code, 125);
    assert.match(end.says, /not complete \(0 bytes of output received\): container command ended/);
  });

  it("creates nothing without a template, and says what to do", async () => {
    await assert.rejects(
      codeOf(undefined, { templates: "true" }),
      /has no PodTemplate .*npm run up/,
    );
    assert.ok(!called("create"));
  });

  it("refuses wrong arguments as such, before it asks the cluster", async () => {
    const workspace = programs.workspace();
    const wrong = [
      run("local", [], {}, workspace),
      run("local", args, { follow: "run-1" }, workspace),
      run("local", args, { deadline: "25h" }, workspace),
      run("local", args, { deadline: "soon" }, workspace),
      run("stagin", args, {}, workspace),
      run("prod", args, { yes: true }, workspace),
    ];
    for (const one of wrong) {
      await assert.rejects(one, (error) => error instanceof WrongUse && !/\n/.test(error.message));
    }
    assert.deepEqual(
      programs.calls.filter((call) => call.startsWith("kubectl")),
      [],
    );
  });

  it("creates nothing in production without an approval of the same command", async () => {
    await assert.rejects(codeOf(undefined, { stack: "prod" }), /only a pipeline creates Jobs/);
    await assert.rejects(codeOf(undefined, { stack: "prod-canary" }), /runs no commands/);
    const preview = join(programs.directory, "run.json");
    const reason = "audit";
    await codeOf(undefined, { preview, reason, stack: "prod" });
    await assert.rejects(
      codeOf(undefined, { approved: preview, deadline: "2h", reason, stack: "prod", yes: "yes" }),
      /This is not what was approved/,
    );
    assert.ok(!called("create"));
  });
});
