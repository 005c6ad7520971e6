import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../lib/errors";
import type { Forward } from "./forward";

/** Milliseconds until the next try after a connection broke. */
const pauseMs = 500;

/** The output of a command, which the pod keeps in a file until someone has received all of it. */
export class Output {
  #bytes = 0;
  #broken = 0;
  #refused: Error | undefined;
  #forward: Forward | undefined;
  readonly #open: () => Promise<Forward>;
  readonly #write: (part: Buffer) => Promise<void>;

  /**
   * @param open opens a connection to the pod
   * @param write passes a part of the output on
   */
  constructor(open: () => Promise<Forward>, write: (part: Buffer) => Promise<void>) {
    this.#open = open;
    this.#write = write;
  }

  /** Number of bytes that have been received. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of connections that broke. */
  get broken(): number {
    return this.#broken;
  }

  /**
   * Receives the output until it is complete. After a connection broke, continues with the first
   * byte that is missing.
   *
   * @returns true if the output is complete, false after `signal`
   * @throws Error of `write`, because another try would fail too
   */
  async receive(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        this.#forward ??= await this.#open();
        const path = `/?offset=${String(this.#bytes)}`;
        const headers = await this.#forward.ask("GET", path, async (part) => {
          await this.#pass(part);
        });
        if (headers["output-complete"] === "true") return true;
      } catch {
        if (this.#refused !== undefined) throw this.#refused;
        this.#broken += 1;
        this.close();
        await sleep(pauseMs);
      }
    }
    return false;
  }

  async #pass(part: Buffer): Promise<void> {
    await this.#write(part).catch((error: unknown) => {
      this.#refused = new Error(`the output cannot be written: ${messageOf(error)}`);
      throw this.#refused;
    });
    this.#bytes += part.length;
  }

  /** Tells the pod that it may end, because the output has been received. */
  async confirm(): Promise<void> {
    // If the pod does not get this message, it ends after a while.
    await this.#forward
      ?.ask("POST", "/received", async () => Promise.resolve())
      .catch(() => undefined);
  }

  close(): void {
    this.#forward?.close();
    this.#forward = undefined;
  }
}
