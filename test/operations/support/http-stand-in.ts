import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
  readonly method: string;
  readonly path: string;
}

/**
 * Function that returns the response to a request. If the function returns undefined, the stand-in
 * never answers the request.
 */
export type Answers = (asked: Asked) =>
  | {
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly status: number;
    }
  | undefined;

/** A local stand-in for an HTTP API. The stand-in keeps the requests that it has received. */
export class StandIn {
  readonly asked: Asked[] = [];
  readonly #server;

  constructor(answers: Answers) {
    this.#server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8");
      request.on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        const { headers, method = "", url: path = "" } = request;
        const asked = { body, headers, method, path };
        this.asked.push(asked);
        const answer = answers(asked);
        if (answer !== undefined)
          response
            .writeHead(answer.status, answer.headers ?? { "content-type": "application/json" })
            .end(answer.body ?? "");
      });
    });
  }

  /** Starts the stand-in on a free port of 127.0.0.1, and returns its URL. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/**
 * Returns a stand-in for GitHub's comments on an issue or a pull request. The stand-in keeps the
 * comments in memory.
 */
export function issue(bodies: readonly string[]) {
  const comments = new Map(bodies.map((body, index) => [index + 1, body]));
  const one = (id: number) => ({
    body: comments.get(id),
    html_url: `http://here/${String(id)}`,
    id,
  });
  const answers: Answers = ({ body, method, path }) => {
    const id = Number(/comments\/(\d+)$/.exec(path)?.[1] ?? comments.size + 1);
    if (method === "GET") {
      const page = Number(/page=(\d+)$/.exec(path)?.[1]);
      const all = [...comments.keys()].map(one).slice((page - 1) * 100, page * 100);
      return { body: JSON.stringify(all), status: 200 };
    }
    if (method === "DELETE") {
      comments.delete(id);
      return { status: 204 };
    }
    comments.set(id, (JSON.parse(body) as { body: string }).body);
    return { body: JSON.stringify(one(id)), status: method === "POST" ? 201 : 200 };
  };
  return { answers, comments };
}
