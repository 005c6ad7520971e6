import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "./commands";
import { within } from "./requests";

export interface LoadOptions {
  readonly host: string;
  /** Port of the ingress controller on 127.0.0.1. All requests go to this port. */
  readonly port: number;
  readonly requestsPerSecond: number;
  /**
   * Whether the client reuses connections, as a load balancer does. If false, each request opens a
   * new connection.
   */
  readonly keepAlive: boolean;
}

export interface LoadResult {
  readonly planned: number;
  readonly sent: number;
  readonly succeeded: number;
  /** One line for each request that failed, with the time and the error. */
  readonly failures: readonly string[];
  /** Ids of the orders whose creation the service has confirmed with status 201. */
  readonly created: readonly string[];
}

/**
 * Timeout of a request, in milliseconds. The request fails if the complete response does not arrive
 * in this time.
 */
const TIMEOUT_MS = 10_000;
/**
 * Maximum duration, in milliseconds. After this time, the client stops even if the test does not
 * call `stop`.
 */
const LIMIT_MS = 600_000;

/**
 * Sends requests at a steady rate until the test calls `stop`. Half of the requests create orders,
 * each with its own Idempotency-Key. The other half read orders.
 *
 * Retries would hide errors, so neither the client nor the ingress controller may retry. The client
 * never sends a request again. The ingress controller has no retry middleware. But if a reused
 * connection fails, the controller repeats a request that has no body. So the requests that read
 * orders have a body, too.
 */
export class Load {
  readonly #options: LoadOptions;
  readonly #agent: Agent;
  readonly #failures: string[] = [];
  readonly #created: string[] = [];
  readonly #interval: number;
  readonly #running: Promise<void>;
  readonly #started = Date.now();
  #end = this.#started + LIMIT_MS;
  #sent = 0;
  #succeeded = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#interval = 1000 / options.requestsPerSecond;
    this.#agent = new Agent({ keepAlive: options.keepAlive, maxSockets: Infinity });
    this.#running = this.#run();
  }

  /** Sends the requests that are due, waits for all responses, and returns the result. */
  async stop(): Promise<LoadResult> {
    const now = Date.now();
    this.#end = Math.min(this.#end, now);
    await this.#running;
    this.#agent.destroy();
    return {
      planned: 1 + Math.floor((now - this.#started) / this.#interval),
      sent: this.#sent,
      succeeded: this.#succeeded,
      failures: this.#failures,
      created: this.#created,
    };
  }

  /**
   * Sends each request at its planned time. If the machine stops for a short time, the client sends
   * the missed requests late. The client does not report these requests as lost, because the
   * service did not cause the delay.
   */
  async #run(): Promise<void> {
    const open = new Set<Promise<void>>();
    for (let n = 0; ; n += 1) {
      const due = this.#started + n * this.#interval;
      const wait = due - Date.now();
      if (wait > 0) {
        await sleep(wait);
      }
      if (due > this.#end) {
        break;
      }
      const sending = this.#send(n).finally(() => open.delete(sending));
      open.add(sending);
    }
    await Promise.all(open);
  }

  async #send(n: number): Promise<void> {
    const posts = n % 2 === 0 || this.#created.length === 0;
    const path = posts ? "/orders" : `/orders/${this.#created[n % this.#created.length] ?? ""}`;
    const body = posts
      ? JSON.stringify({
          customer: `load-${String(n)}`,
          currency: "EUR",
          items: [{ sku: "tea", quantity: 1 + (n % 5), unitPrice: 250 }],
        })
      : "{}";
    this.#sent += 1;
    try {
      // This timeout covers the whole exchange, until the last byte of the response. A socket
      // timeout would start again with each byte.
      const { status, text } = await within(TIMEOUT_MS, async (signal) =>
        this.#exchange(posts ? "POST" : "GET", path, body, signal),
      );
      const expected = posts ? 201 : 200;
      if (status !== expected) {
        throw new Error(`answered ${String(status)}: ${text.slice(0, 120)}`);
      }
      this.#succeeded += 1;
      if (posts) {
        this.#created.push((JSON.parse(text) as { id: string }).id);
      }
    } catch (error) {
      const after = ((Date.now() - this.#started) / 1000).toFixed(1);
      this.#failures.push(
        `${after} s: ${posts ? "POST" : "GET"} ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  async #exchange(
    method: "GET" | "POST",
    path: string,
    body: string,
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: "127.0.0.1",
          port: this.#options.port,
          path,
          method,
          agent: this.#agent,
          signal,
          headers: {
            Host: this.#options.host,
            "Content-Length": Buffer.byteLength(body),
            "Content-Type": "application/json",
            ...(method === "POST" ? { "Idempotency-Key": randomUUID() } : {}),
          },
        },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8");
          answer.on("data", (chunk: string) => {
            text += chunk;
          });
          answer.on("end", () => {
            resolve({ status: answer.statusCode ?? 0, text });
          });
          answer.on("error", reject);
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }
}

/**
 * Prints the result of each client. Fails if a request failed or was not sent, if a client created
 * no order, or if the database does not contain an order whose creation the service has confirmed
 * with status 201.
 */
export async function nothingWasLost(
  namespace: string,
  results: Readonly<Record<string, LoadResult>>,
): Promise<void> {
  const stored = new Set(await sql("SELECT id FROM orders", namespace));
  const missing: string[] = [];
  for (const [client, { created, failures, planned, sent, succeeded }] of Object.entries(results)) {
    const lost = created.filter((id) => !stored.has(id));
    missing.push(...lost);
    console.log(
      `      ${client}: ${String(sent)} of ${String(planned)} planned requests sent, ${String(succeeded)} succeeded, ` +
        `${String(failures.length)} failed; ${String(created.length)} orders answered with 201, ${String(created.length - lost.length)} of them in the database`,
    );
  }
  for (const [client, { created, failures, planned, sent }] of Object.entries(results)) {
    const title = `${client}: ${String(failures.length)} failed`;
    assert.deepEqual(failures, [], [title, ...failures.slice(0, 20)].join("\n"));
    assert.equal(sent, planned, `${client}: the load ended before the test did`);
    assert.ok(created.length > 0, `${client}: no order was made`);
  }
  assert.deepEqual(missing, [], "orders that were answered with 201 and are not in the database");
}
