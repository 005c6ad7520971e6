import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Stand-in for the container `output`, in which OutputServer.java runs. The stand-in can break the
 * connection during the first responses.
 */
export class OutputStandIn {
  received = false;
  readonly #breaks: number[];
  readonly #server: Server;

  /**
   * @param content the whole output. Undefined if the command has not created the file of the
   *   output yet.
   * @param breaks for each of the first responses, the number of bytes after which the stand-in
   *   breaks the connection
   */
  constructor(content: Buffer | undefined, breaks: readonly number[] = []) {
    this.#breaks = [...breaks];
    this.#server = createServer((asked, answer) => {
      if (asked.method === "POST" && asked.url === "/received") {
        this.received = true;
        answer.writeHead(204).end();
        return;
      }
      const from = Number(/^\/\?offset=(\d+)$/.exec(asked.url ?? "")?.[1]);
      const rest = (content ?? Buffer.alloc(0)).subarray(from);
      const complete = String(content !== undefined);
      answer.writeHead(200, { "Content-Length": rest.length, "Output-Complete": complete });
      const most = this.#breaks.shift();
      if (most === undefined) answer.end(rest);
      else answer.write(rest.subarray(0, most), () => asked.socket.destroy());
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
