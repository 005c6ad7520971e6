import type { ChildProcess } from "node:child_process";
import { type IncomingMessage, request } from "node:http";
import type { Start } from "../clients/kubectl";

/** Milliseconds in which `kubectl port-forward` must begin to listen. */
const listenMs = 20_000;
/**
 * Milliseconds without a byte from the pod after which a request fails. The server in the pod
 * (OutputServer.java) answers within 5 seconds, even if there is no output yet.
 */
const silenceMs = 30_000;

/** A connection to one port of a pod, through `kubectl port-forward`. */
export class Forward {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #onExit = (): void => {
    this.close();
  };

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
    // This handler stops kubectl, which would otherwise continue to run after this process ends.
    process.once("exit", this.#onExit);
  }

  /**
   * Starts `kubectl port-forward`, and waits until it listens.
   *
   * @throws Error with the output of kubectl, if kubectl does not listen within 20 seconds
   */
  static async open(start: Start, namespace: string, pod: string, port: number): Promise<Forward> {
    const where = ["--namespace", namespace, "--address", "127.0.0.1"];
    const child = start(["port-forward", ...where, `pod/${pod}`, `:${String(port)}`]);
    let output = "";
    const local = await new Promise<number>((resolve, reject) => {
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
    return new Forward(child, local);
  }

  /**
   * Sends a request, and calls `onPart` with each part of the answer's body.
   *
   * @returns the headers of the answer, after `onPart` has received the whole body
   * @throws Error if the connection breaks before the end of the body, if the pod sends nothing for
   * 30 seconds, or if the answer is an error
   */
  async ask(
    method: "GET" | "POST",
    path: string,
    onPart: (part: Buffer) => Promise<void>,
  ): Promise<IncomingMessage["headers"]> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { agent: false, host: "127.0.0.1", method, path, port: this.#port } as const;
      const asked = request(options, resolve);
      asked.setTimeout(silenceMs, () => asked.destroy(new Error("the pod does not answer")));
      asked.once("error", reject);
      asked.end();
    });
    for await (const part of answer) await onPart(part as Buffer);
    if (!answer.complete || (answer.statusCode ?? 500) >= 300) {
      throw new Error(`the pod answered with ${String(answer.statusCode)}`);
    }
    return answer.headers;
  }

  close(): void {
    process.off("exit", this.#onExit);
    this.#child.kill("SIGKILL");
  }
}
