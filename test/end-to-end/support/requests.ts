import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { options } from "../../../sandbox/layout";

/** Interval at which `within` measures time, in milliseconds. */
const TICK_MS = 100;

/**
 * Returns the result of `exchange`. Aborts `exchange` and fails after `milliseconds`. This time
 * does not include pauses in which the whole machine stops.
 *
 * A busy virtual machine may stop for seconds. After such a pause, Node.js runs its timers before
 * it reads the data that has arrived. So a simple timeout would reject responses that have already
 * arrived.
 *
 * @param exchange function that sends a request. The function must throw an error when its signal
 * is aborted.
 */
export async function within<T>(
  milliseconds: number,
  exchange: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  let left = Math.ceil(milliseconds / TICK_MS);
  const ticks = setInterval(() => {
    left -= 1;
    if (left === 0) abort.abort();
  }, TICK_MS);
  try {
    return await exchange(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    throw new Error(`no answer within ${String(milliseconds / 1000)} s`, { cause: error });
  } finally {
    clearInterval(ticks);
  }
}

/**
 * Sends one request on a new connection, and returns the version of the service that answers.
 * Throws if the status is not 200.
 */
async function versionAt(host: string): Promise<string> {
  const { ingressPort: port } = options();
  const agent = new Agent({ keepAlive: false });
  return within(10_000, async (signal) => {
    return new Promise((resolve, reject) => {
      const sent = request(
        { agent, headers: { Host: host }, host: "127.0.0.1", path: "/orders", port, signal },
        (answer) => {
          answer.resume();
          answer.once("end", () => {
            if (answer.statusCode === 200) resolve(String(answer.headers["service-version"]));
            else reject(new Error(`status ${String(answer.statusCode)}`));
          });
        },
      );
      sent.once("error", reject);
      sent.end();
    });
  });
}

/**
 * Sends `count` requests, one every `pauseMs` milliseconds. Returns the number of responses by
 * version.
 */
export async function answersOf(
  host: string,
  count: number,
  pauseMs: number,
): Promise<ReadonlyMap<string, number>> {
  const all = await Promise.all(
    Array.from({ length: count }, async (_, n) => sleep(n * pauseMs).then(() => versionAt(host))),
  );
  const versions = new Map<string, number>();
  for (const version of all) versions.set(version, (versions.get(version) ?? 0) + 1);
  return versions;
}

/** Sends requests, one after another, until the test calls `stop`. */
export class Requests {
  readonly failures: string[] = [];
  sent = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(host: string) {
    this.#running = this.#run(host);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(host: string): Promise<void> {
    while (!this.#stopped) {
      this.sent += 1;
      await versionAt(host).catch((error: unknown) => void this.failures.push(String(error)));
      await sleep(20);
    }
  }
}
