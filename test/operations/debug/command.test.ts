import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { mock } from "node:test";
import { type DebugOptions, debug } from "../../../operations/debug/command";
import { WrongUse } from "../../../lib/errors";
import { Programs } from "../support/programs";

const json = (value: object): string => `echo '${JSON.stringify(value)}'`;
const env = [{ name: "JAVA_TOOL_OPTIONS", value: "-Xlog:gc" }];
const deployment = {
  metadata: { name: "services-orders" },
  spec: {
    template: {
      metadata: { labels: { branch: "pay", commit_id: "3f2c9e1" } },
      spec: {
        containers: [
          { env, image: "a", name: "orders", ports: [{ containerPort: 8080, name: "http" }] },
        ],
      },
    },
  },
};
const podWith = (phase: string, status: object = {}) => ({
  metadata: { creationTimestamp: new Date().toISOString(), name: "debug-ada-1-abc" },
  status: { phase, ...status },
});
const running = { items: [podWith("Running")] };

/** In these tests, scripts replace kubectl. */
describe("npm run debug", () => {
  let programs: Programs;
  let printed: string[];
  let port: number;
  beforeEach(async () => {
    programs = new Programs();
    printed = [];
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
    server.close();
    await once(server, "close");
  });
  afterEach(() => {
    mock.restoreAll();
    process.exitCode = undefined;
    programs.remove();
  });
  const text = (): string => printed.join("\n");
  const calls = (part: string): readonly string[] =>
    programs.calls.filter((call) => call.includes(part));

  interface World {
    readonly events?: object;
    readonly jobs?: object;
    readonly log?: string;
    readonly pods?: object | readonly [object, object];
    /** Presses Ctrl-C when the command has printed this text. */
    readonly stopAt?: string;
  }
  async function run(options: DebugOptions = {}, world: World = {}, stack = "local") {
    const { events = { items: [] }, jobs = { items: [] }, pods = running } = world;
    const { log = "Listening for transport dt_socket at address: 127.0.0.1:5005", stopAt } = world;
    let stopped = false;
    mock.method(console, "error", (line: unknown) => {
      printed.push(String(line));
      if (!stopped && stopAt !== undefined && text().includes(stopAt)) {
        stopped = true;
        setTimeout(() => process.emit("SIGINT"), 50);
      }
    });
    const [first, then] = Array.isArray(pods) ? (pods as [object, object]) : [pods, pods];
    programs.add("kubectl", {
      "*--raw*": `echo '{"metadata":{"uid":"here"}}'`,
      "*get deployment *": json(deployment),
      "*get jobs*": json(jobs),
      "*get events*": json(events),
      "*get pods*": [json(first), json(then)],
      "* logs *": `echo '${log}'`,
      "*port-forward*:5005": `echo "Forwarding from 127.0.0.1:${String(port)} -> 5005"; exec sleep 60`,
      "*port-forward*:8080": `echo "Forwarding from 127.0.0.1:18080 -> 8080"; exec sleep 60`,
    });
    const workspace = programs.workspace({ SANDBOX_REGISTRY: "localhost:5000" });
    const { heap, jfr, threads } = options;
    const isTwin = [heap, jfr, threads].every((one) => one === undefined);
    await debug(stack, { ...(isTwin && { port }), ...options }, workspace);
  }
  /** The name of the twin that the command has created. */
  const name = (): string => /Created twin (debug-\S+) of/.exec(text())?.[1] ?? "none";

  it("forwards the debugger and the API of a twin, and deletes the twin after Ctrl-C", async () => {
    await run({}, { stopAt: "Ctrl-C ends" });
    assert.match(text(), /^Stack local, namespace \S+, cluster .*: a twin of Deployment services-/);
    assert.match(text(), /Created twin debug-\S+ of Deployment services-orders, commit 3f2c9e1\./);
    assert.match(text(), new RegExp(`waits for a debugger on 127\\.0\\.0\\.1:${String(port)}\\.`));
    assert.match(text(), /curl http:\/\/127\.0\.0\.1:18080\//);
    assert.equal(calls("create --filename -").length, 1);
    assert.equal(calls(`delete --ignore-not-found job ${name()}`).length, 1);
    assert.match(calls("delete --ignore-not-found pods").join(""), /--grace-period=2 --timeout=9s/);
    assert.match(text(), /is deleted\.$/);
  });

  it("deletes the twin also after Ctrl-C during its start", async () => {
    await run({}, { log: "starting", stopAt: "Created twin" });
    assert.equal(calls(`delete --ignore-not-found job ${name()}`).length, 1);
    assert.equal(calls("port-forward").length, 0);
  });

  it("replaces the person's earlier twin, and names the twins of others", async () => {
    const twinOf = (who: string, name: string) => ({
      metadata: { annotations: { "debug/by": who }, name },
    });
    const before = process.env["CIRCLE_USERNAME"];
    process.env["CIRCLE_USERNAME"] = "ada";
    try {
      const items = [twinOf("ada", "debug-ada-0"), twinOf("bob", "debug-bob-0")];
      await run({}, { jobs: { items }, stopAt: "Ctrl-C ends" });
    } finally {
      if (before === undefined) delete process.env["CIRCLE_USERNAME"];
      else process.env["CIRCLE_USERNAME"] = before;
    }
    assert.match(text(), /Deleting twin debug-ada-0/);
    assert.match(text(), /Twin debug-bob-0 of bob is also running/);
    assert.equal(calls("job debug-ada-0").length, 1);
    assert.equal(calls("job debug-bob-0").length, 0);
  });

  it("says in one line that a quota refuses the twin", async () => {
    const message = `Error creating: pods "debug-ada-1-x" is forbidden: exceeded quota: review, requested: pods=1, used: pods=10, limited: pods=10`;
    const world = { events: { items: [{ message }] }, pods: { items: [] } };
    await assert.rejects(run({}, world), {
      message:
        "Kubernetes refuses the twin's pod: exceeded quota: review, requested: pods=1, used: pods=10, limited: pods=10. If a quota is too small, raise the quota, or scale the Deployment down.",
    });
    assert.equal(calls(`delete --ignore-not-found job ${name()}`).length, 1);
  });

  it("fails with the last lines of a twin that does not start, and deletes it", async () => {
    const ended = podWith("Failed", {
      containerStatuses: [
        {
          name: "orders",
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode: 1, reason: "Error" } },
        },
      ],
    });
    const world = { log: "DATABASE_HOST is not set", pods: { items: [ended] } };
    await assert.rejects(run({}, world), /ended with exit code 1 .*\nDATABASE_HOST is not set$/s);
    assert.equal(calls(`delete --ignore-not-found job ${name()}`).length, 1);
  });

  it("ends when the deadline of the twin has passed", async () => {
    await assert.rejects(run({}, { pods: [running, { items: [] }] }), /its deadline has passed/);
    assert.match(text(), /is deleted\.$/);
  });

  it("changes nothing if the port of this machine is in use", async () => {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    await assert.rejects(run(), /Choose another port with --port\. Nothing was changed\./);
    server.close();
    assert.equal(calls("create").length, 0);
  });

  it("refuses wrong options before it asks the cluster", async () => {
    const wrong: readonly (readonly [DebugOptions, RegExp])[] = [
      [{ deadline: "9h" }, /--deadline must be .* at most 8h/],
      [{ deadline: "soon" }, /--deadline must be/],
      [{ heap: "a", threads: true }, /only one of/],
      [{ jfr: ["60s"] }, /--jfr needs a time from 1s to 10m and a file/],
      [{ jfr: ["11m", "a"] }, /--jfr needs/],
      [{ jfr: ["60s", "a", "b"] }, /--jfr needs/],
      [{ pod: "orders-1" }, /--pod needs/],
      [{ port: 0 }, /--port must be/],
      [{ suspend: true, threads: true }, /--suspend is only for a twin/],
    ];
    for (const [options, message] of wrong) {
      await assert.rejects(run(options), (error: unknown) => {
        assert.ok(error instanceof WrongUse, String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    assert.deepEqual(programs.calls, []);
  });

  it("touches production only with --yes and a reason", async () => {
    for (const stack of ["prod", "prod-canary"]) {
      for (const options of [{}, { yes: true }, { reason: "audit" }, { reason: " ", yes: true }]) {
        for (const more of [{}, { threads: true }]) {
          await assert.rejects(
            run({ ...options, ...more }, {}, stack),
            (error: unknown) => error instanceof WrongUse && /is production/.test(error.message),
          );
        }
      }
    }
    assert.deepEqual(programs.calls, []);
  });
});
