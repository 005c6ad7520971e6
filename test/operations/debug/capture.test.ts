import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { mock } from "node:test";
import { type DebugOptions, debug } from "../../../operations/debug/command";
import { Programs } from "../support/programs";

const json = (value: object): string => `echo '${JSON.stringify(value)}'`;
const podWith = (name: string, ready: boolean, env: readonly object[]): object => ({
  metadata: { name },
  spec: { containers: [{ env }] },
  status: { conditions: [{ status: ready ? "True" : "False", type: "Ready" }] },
});
const env = [{ name: "DIAGNOSTICS_PORT", value: "8083" }];
const pods = [podWith("orders-1", false, env), podWith("orders-2", true, env)];

/**
 * Stand-in for DiagnosticsServer.java. The first response to a request for the result is empty,
 * because the result is not complete yet. During the second response, the connection breaks.
 */
class DiagnosticsStandIn {
  readonly asked: string[] = [];
  readonly content: Buffer;
  /** Text of the response to a request for a dump, if the service refuses the dump. */
  refusal: string | undefined;
  /** Whether the recording never ends. */
  isEndless = false;
  /**
   * Whether the service has deleted the result because no client requested the result in time.
   */
  isGone = false;
  readonly #server: Server;
  #answers = 0;

  constructor(content: Buffer) {
    this.content = content;
    this.#server = createServer((request, answer) => {
      const { method = "", url = "" } = request;
      this.asked.push(`${method} ${url} ${request.headers["requested-by"]?.toString() ?? "none"}`);
      const offset = /^\/results\/a1\/\?offset=(\d+)$/.exec(url)?.[1];
      if (url.endsWith("/received")) answer.writeHead(204).end();
      else if (offset === undefined && this.refusal !== undefined) {
        answer.writeHead(507).end(this.refusal);
      } else if (url === "/threads") answer.end('"a-known-thread" #1\n');
      else if (offset === undefined) answer.end("a1");
      else if (this.isGone) answer.writeHead(410).end("the result no longer exists");
      else this.#send(content.subarray(Number(offset)), answer);
    });
  }

  #send(rest: Buffer, answer: ServerResponse): void {
    this.#answers += 1;
    if (this.#answers === 1 || this.isEndless) {
      answer.writeHead(200, { "Output-Complete": "false" }).end();
      return;
    }
    answer.writeHead(200, { "Content-Length": rest.length, "Output-Complete": "true" });
    if (this.#answers > 2) answer.end(rest);
    else answer.write(rest.subarray(0, 1_000_001), () => answer.destroy());
  }

  async listen(): Promise<number> {
    if (!this.#server.listening) {
      this.#server.listen(0, "127.0.0.1");
      await once(this.#server, "listening");
    }
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** In these tests, scripts replace kubectl. */
describe("a dump of a running pod", () => {
  let programs: Programs;
  let printed: string[];
  let service: DiagnosticsStandIn;
  let received: string;
  beforeEach(() => {
    programs = new Programs();
    service = new DiagnosticsStandIn(randomBytes(3_000_000));
    printed = [];
    received = "";
    mock.method(console, "error", (text: unknown) => printed.push(String(text)));
  });
  afterEach(() => {
    mock.restoreAll();
    process.exitCode = undefined;
    programs.remove();
    service.close();
  });

  async function run(options: DebugOptions, found: readonly object[] = pods, stack = "local") {
    const port = String(await service.listen());
    programs.add("kubectl", {
      "*--raw*": `echo '{"metadata":{"uid":"here"}}'`,
      "*get pods*": json({ items: found }),
      "*port-forward*": `echo "Forwarding from 127.0.0.1:${port} -> 8083"; exec sleep 60`,
    });
    const write = process.stdout.write.bind(process.stdout);
    mock.method(process.stdout, "write", (part: unknown, done: unknown) => {
      if (!Buffer.isBuffer(part)) return write(String(part));
      received += part.toString("utf8");
      (done as () => void)();
      return true;
    });
    const workspace = programs.workspace({ SANDBOX_REGISTRY: "localhost:5000" });
    await debug(stack, options, workspace);
  }
  const file = (): string => join(programs.directory, "out", "orders.hprof");
  const forwards = (): string => programs.calls.filter((call) => /port-forward/.test(call)).join();

  it("prints the threads of a ready pod on standard output, and all else on standard error", async () => {
    await run({ threads: true });
    assert.equal(received, '"a-known-thread" #1\n');
    assert.match(
      printed.join("\n"),
      /^Stack local, .*: a thread dump\nPod orders-2: a thread dump$/,
    );
    assert.match(forwards(), /pod\/orders-2 :8083$/);
    assert.match(service.asked.join(), /^POST \/threads \S+$/);
  });

  it("takes the pod that the person names, also one that is not ready", async () => {
    await run({ pod: "orders-1", threads: true });
    assert.match(forwards(), /pod\/orders-1 :8083$/);
    await assert.rejects(run({ pod: "orders-9", threads: true }), /has no pod "orders-9"/);
  });

  it("writes a heap dump byte for byte when a connection breaks, for this person only", async () => {
    await run({ heap: file() });
    assert.ok(readFileSync(file()).equals(service.content));
    assert.equal(statSync(file()).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dirname(file())), ["orders.hprof"]);
    assert.match(service.asked.at(-1) ?? "", /^POST \/results\/a1\/received /);
    assert.match(printed.at(-1) ?? "", /orders\.hprof: 3000000 bytes$/);
  });

  it("records for the time that the person gives", async () => {
    await run({ jfr: ["2m", file()] });
    assert.match(service.asked[0] ?? "", /^POST \/jfr\?seconds=120 /);
    assert.ok(readFileSync(file()).equals(service.content));
  });

  it("says in one line what is missing, and writes nothing", async () => {
    service.refusal = "a heap dump may need 700 MiB, and the volume for diagnostics has 647 MiB";
    await assert.rejects(run({ heap: file() }), { message: `${service.refusal}.` });
    assert.throws(() => readdirSync(dirname(file())), /ENOENT/);
  });

  it("leaves no file if the service no longer has the result, and keeps an earlier file", async () => {
    service.isGone = true;
    const earlier = join(programs.directory, "earlier.hprof");
    writeFileSync(earlier, "earlier");
    await assert.rejects(run({ heap: earlier }), { message: "the result no longer exists." });
    assert.equal(readFileSync(earlier, "utf8"), "earlier");
    assert.ok(!readdirSync(programs.directory).includes("earlier.hprof.part"));
  });

  it("stops the recording of the service after Ctrl-C, and leaves no file", async () => {
    service.isEndless = true;
    setTimeout(() => process.emit("SIGINT"), 1_000);
    await run({ jfr: ["60s", file()] });
    assert.equal(process.exitCode, 130);
    assert.match(service.asked.at(-1) ?? "", /^POST \/results\/a1\/received /);
    assert.deepEqual(readdirSync(dirname(file())), []);
  });

  it("needs a ready pod whose release has diagnostics", async () => {
    await assert.rejects(run({ threads: true }, [pods[0] ?? {}]), /has no ready pod/);
    const old = podWith("orders-0", true, []);
    await assert.rejects(run({ threads: true }, [old]), /orders-0 has no diagnostics/);
    assert.equal(forwards(), "");
  });

  it("tells the service who asks, and why", async () => {
    await run({ reason: "pods hang – all", threads: true });
    assert.match(service.asked.join(), /: pods hang \? all$/);
  });
});
