import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Start } from "../clients/kubectl";

/** Milliseconds within which `kubectl port-forward` must begin to listen. */
const listenMs = 20_000;
/**
 * If the pod sends no byte for this number of milliseconds, a request fails. The servers in the
 * pods (OutputServer.java and DiagnosticsServer.java) answer a request for an output within 5
 * seconds, even if there is no output yet.
 */
const silenceMs = 30_000;

/** The pod has answered with an error. */
export class Refusal extends Error {
  readonly status: number;

  /** @param text the body of the response */
  constructor(status: number, text: string) {
    super(text.trim() === "" ? `the pod answered with ${String(status)}` : text.trim());
    this.status = status;
  }
}

interface Asking {
  /** Headers of the request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest time without a byte, in milliseconds. @default 30000 */
  readonly silence?: number;
}

/** A connection to one port of a pod, through `kubectl port-forward`. */
export class Forward {
  /** Port of this machine, on the loopback address. */
  readonly port: number;
  /** Resolves when kubectl has ended, for example because the pod is gone. */
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #onExit = (): void => {
    this.close();
  };

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.ended = once(child, "exit").catch(() => undefined);
    // Without this handler, kubectl would continue to run after this process ends.
    process.once("exit", this.#onExit);
  }

  /**
   * Starts `kubectl port-forward`, and waits until kubectl listens on the port of this machine.
   *
   * @param local port of this machine. By default, kubectl chooses a free port.
   * @throws Error with the output of kubectl, if kubectl does not listen within 20 seconds
   */
  static async open(
    start: Start,
    namespace: string,
    pod: string,
    port: number,
    local?: number,
  ): Promise<Forward> {
    const where = ["--namespace", namespace, "--address", "127.0.0.1"];
    const ports = `${local === undefined ? "" : String(local)}:${String(port)}`;
    const child = start(["port-forward", ...where, `pod/${pod}`, ports]);
    let output = "";
    const listens = await new Promise<number>((resolve, reject) => {
      const stop = (why: string): void => {
        child.kill("SIGKILL");
        reject(new Error(`kubectl port-forward ${why}: ${output.trim()}`));
      };
      const timer = setTimeout(stop, listenMs, "does not listen");
      child.once("error", ({ message }) => {
        stop(message);
      });
      child.once("exit", () => {
        clearTimeout(timer);
        stop("ended");
      });
      const read = (chunk: Buffer): void => {
        output += chunk.toString("utf8");
        const [, found] = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(output) ?? [];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(Number(found));
      };
      child.stdout?.on("data", read);
      child.stderr?.on("data", read);
    });
    return new Forward(child, listens);
  }

  /**
   * Sends a request, and calls `onPart` with each part of the response's body.
   *
   * @returns the headers of the response, after `onPart` has received the whole body
   * @throws Refusal with the body of the response, if the response is an error. `onPart` does not
   * get this body.
   * @throws Error if the connection breaks before the end of the body, or if the pod sends nothing
   * for the time in `silence`, by default 30 seconds
   */
  async ask(
    method: "GET" | "POST",
    path: string,
    onPart: (part: Buffer) => Promise<void>,
    { headers = {}, silence = silenceMs }: Asking = {},
  ): Promise<IncomingMessage["headers"]> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const where = { host: "127.0.0.1", path, port: this.port };
      const asked = request({ agent: false, headers, method, ...where }, resolve);
      asked.setTimeout(silence, () => asked.destroy(new Error("the pod does not answer")));
      asked.once("error", reject);
      asked.end();
    });
    const { statusCode: status = 500 } = answer;
    let refused = "";
    for await (const part of answer) {
      if (status < 300) await onPart(part as Buffer);
      else refused += (part as Buffer).toString("utf8");
    }
    if (status >= 300) throw new Refusal(status, refused);
    if (!answer.complete) throw new Error("the connection broke");
    return answer.headers;
  }

  close(): void {
    process.off("exit", this.#onExit);
    this.#child.kill("SIGKILL");
  }
}
