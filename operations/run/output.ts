import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../lib/errors";
import { type Forward, Refusal } from "./forward";

/** Milliseconds to wait between a broken connection and the next try. */
const pauseMs = 500;

/** HTTP status of the response if the pod no longer has the output. */
const gone = 410;

export interface OutputOptions {
  /** An open connection to the pod. @default - the first connection comes from `open` */
  readonly forward?: Forward;
  readonly headers?: Readonly<Record<string, string>>;
  /** Path of the output. Must end with a slash. @default "/" */
  readonly path?: string;
}

/**
 * Receives an output from a pod, such as the output of a command from the container `output` of the
 * command's pod. The pod keeps the output until a caller confirms that it has received the whole
 * output (`confirm`), but only for a limited time.
 */
export class Output {
  #bytes = 0;
  #broken = 0;
  #refused: Error | undefined;
  #forward: Forward | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #open: () => Promise<Forward>;
  readonly #path: string;
  readonly #write: (part: Buffer) => Promise<void>;

  /**
   * @param open opens a connection to the pod
   * @param write writes a part of the output to its destination
   */
  constructor(
    open: () => Promise<Forward>,
    write: (part: Buffer) => Promise<void>,
    { forward, headers = {}, path = "/" }: OutputOptions = {},
  ) {
    this.#forward = forward;
    this.#headers = headers;
    this.#open = open;
    this.#path = path;
    this.#write = write;
  }

  /** Number of bytes that this object has received. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of connections that broke. */
  get broken(): number {
    return this.#broken;
  }

  /**
   * Receives the output until it is complete. If a connection breaks, the method opens a new one,
   * and continues with the first missing byte.
   *
   * @param signal ends the method, for example because the pod is gone
   * @returns true if the output is complete, false if `signal` came first
   * @throws Error if `write` fails. The method does not try again, because `write` would fail again
   * @throws Refusal if the pod no longer has the output
   */
  async receive(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        this.#forward ??= await this.#open();
        const path = `${this.#path}?offset=${String(this.#bytes)}`;
        const pass = async (part: Buffer): Promise<void> => this.#pass(part);
        const asking = { headers: this.#headers };
        const headers = await this.#forward.ask("GET", path, pass, asking);
        if (headers["output-complete"] === "true") return true;
      } catch (error) {
        if (this.#refused !== undefined) throw this.#refused;
        if (error instanceof Refusal && error.status === gone) throw error;
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

  /**
   * Informs the pod that the caller has received the whole output. The pod of a command then ends.
   */
  async confirm(): Promise<void> {
    // This code ignores an error: without this request, the pod of a command ends 10 minutes after
    // the command.
    const nothing = async (): Promise<void> => Promise.resolve();
    await this.#forward
      ?.ask("POST", `${this.#path}received`, nothing, { headers: this.#headers })
      .catch(() => undefined);
  }

  close(): void {
    this.#forward?.close();
    this.#forward = undefined;
  }
}
