import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubectl, succeeded } from "../commands";
import type { OwnStack } from "../own-stack";
import { Jdb } from "./jdb";

/** Returns the names of the twins' pods. */
async function twinsOf(namespace: string): Promise<readonly string[]> {
  const which = ["-n", namespace, "get", "pods", "-l", "debug/twin-of", "-o", "name"];
  return (await kubectl(which)).split("\n").filter((name) => name !== "");
}

/** Returns everything that the EndpointSlices of a namespace contain. */
const endpoints = async (namespace: string): Promise<string> =>
  kubectl(["-n", namespace, "get", "endpointslices", "-o", "json"]);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Starts a twin, kills the command with SIGKILL, and returns the name of the twin. */
export async function abandonedTwin(stack: OwnStack): Promise<string> {
  const args = ["debug", "local", "--port", String(await freePort())];
  const { output } = await stack.npmUntil(args, "Ctrl-C ends", (pid) => {
    process.kill(-pid, "SIGKILL");
  });
  const [twin] = await twinsOf(stack.namespace);
  assert.ok(twin !== undefined, output);
  return /Created twin (\S+)/.exec(output)?.[1] ?? twin;
}

/**
 * Starts a twin, stops at a breakpoint with jdb, and presses Ctrl-C.
 *
 * @returns the output of the command, and the seconds from Ctrl-C until the twin was gone
 */
export async function debuggedTwin(
  stack: OwnStack,
): Promise<{ readonly output: string; readonly seconds: number }> {
  const port = await freePort();
  let stopped = 0;
  let failure: unknown;
  const args = ["debug", "local", "--port", String(port)];
  const run = await stack.npmUntil(args, "Ctrl-C ends", (pid, output) => {
    const api = /curl (http:\S+)/.exec(output)?.[1] ?? "";
    void hitBreakpoint(stack.namespace, port, api)
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        stopped = Date.now();
        process.kill(-pid, "SIGINT");
      });
  });
  if (failure !== undefined) throw failure as Error;
  succeeded(run);
  assert.deepEqual(await twinsOf(stack.namespace), []);
  return { output: run.output, seconds: (Date.now() - stopped) / 1000 };
}

async function hitBreakpoint(namespace: string, port: number, api: string): Promise<void> {
  const twins = await twinsOf(namespace);
  assert.equal(twins.length, 1, "number of twins");
  const name = twins[0]?.replace("pod/", "") ?? "";
  const jdb = await Jdb.attached(port);
  const method = "com.example.orders.api.OrderRoutes.list";
  await jdb.does(`stop in ${method}`, new RegExp(`Set breakpoint ${method}`));
  const answer = fetch(new URL("/orders?limit=1", api), { signal: AbortSignal.timeout(60_000) });
  await jdb.prints(/Breakpoint hit: .*OrderRoutes\.list/);
  assert.match(await jdb.does("where", /\[2\]/), /OrderRoutes\.list \(OrderRoutes\.java:\d+\)/);
  assert.ok(!(await endpoints(namespace)).includes(name), "the twin is an endpoint");
  await jdb.does("cont", />/);
  assert.equal((await answer).status, 200);
  await jdb.quit();
}

/** Gets the three dumps of a running pod, and checks a part of each dump. */
export async function checkDumps(stack: OwnStack): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-dumps-"));
  const begins = (file: string, bytes: number): string =>
    readFileSync(file).subarray(0, bytes).toString("latin1");
  try {
    const threads = succeeded(await stack.npm("debug", "local", "--threads"));
    assert.match(threads.output, /^"main" #1 /m);
    assert.match(threads.output, /^"diagnostics" /m);
    const heap = join(directory, "orders.hprof");
    succeeded(await stack.npm("debug", "local", "--heap", heap));
    assert.equal(begins(heap, 12), "JAVA PROFILE");
    const jfr = join(directory, "orders.jfr");
    succeeded(await stack.npm("debug", "local", "--jfr", "2s", jfr));
    assert.equal(begins(jfr, 4), "FLR\0");
  } finally {
    rmSync(directory, { recursive: true });
  }
}
