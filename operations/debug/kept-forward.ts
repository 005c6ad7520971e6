import { setTimeout as sleep } from "node:timers/promises";
import { Forward } from "../run/forward";
import type { Target } from "./target";

/** Pause before a new connection, in milliseconds. */
const pauseMs = 500;

/**
 * A connection to a port of a pod. If kubectl ends, for example because the network was down, this
 * object starts kubectl again with the same port of this machine.
 */
export class KeptForward {
  #closed = false;
  #forward: Forward;

  private constructor(forward: Forward) {
    this.#forward = forward;
  }

  /**
   * @param port port of the pod
   * @param local port of this machine. By default, kubectl chooses a free port.
   * @throws Error with the output of kubectl, if kubectl does not listen within 20 seconds
   */
  static async open(
    { cluster, namespace }: Pick<Target, "cluster" | "namespace">,
    pod: string,
    port: number,
    local?: number,
  ): Promise<KeptForward> {
    const open = async (at?: number): Promise<Forward> =>
      Forward.open(cluster.start, namespace, pod, port, at);
    const kept = new KeptForward(await open(local));
    void kept.#keep(async () => open(kept.port));
    return kept;
  }

  /** Port of this machine, on the loopback address. */
  get port(): number {
    return this.#forward.port;
  }

  close(): void {
    this.#closed = true;
    this.#forward.close();
  }

  async #keep(open: () => Promise<Forward>): Promise<void> {
    await this.#forward.ended;
    while (!this.#isClosed()) {
      await sleep(pauseMs);
      const next = await open().catch(() => undefined);
      if (next === undefined) continue;
      this.#forward = next;
      // The caller may have called `close` while kubectl started.
      if (this.#isClosed()) next.close();
      await next.ended;
    }
  }

  #isClosed(): boolean {
    return this.#closed;
  }
}
