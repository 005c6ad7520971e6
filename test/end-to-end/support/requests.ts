import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { options } from "../../../sandbox/layout";

/** How often a limit counts. */
const TICK_MS = 100;

/**
 * Answer of `exchange`, which must come within so many milliseconds in which this process ran.
 *
 * A machine that stands still for seconds (a busy virtual machine does) is not a service that does
 * not answer. After such a break Node.js runs its timers before it reads what has arrived, so a
 * plain timeout would give up on answers that are already there.
 *
 * @param exchange must end with an error when its signal aborts
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

/** Version that answers one request on a new connection. Throws if the answer is not right. */
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

/** How many of `count` requests each version answered, sent one every `pauseMs`. */
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

/** Asks all the time, one request after another, until it is stopped. */
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
