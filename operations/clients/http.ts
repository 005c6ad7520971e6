import { request as plain } from "node:http";
import { request as encrypted } from "node:https";

const mostBytes = 1_000_000;

/** The response to a request. */
export interface Answer {
  readonly body: string;
  readonly status: number;
  /** Release that sent the response, from the response's header `service-version`. */
  readonly version: string;
}

/**
 * Sends a GET request to a URL, on a new connection. Does not follow redirects, because the service
 * itself must answer.
 *
 * @param timeout - in milliseconds
 */
export async function ask(url: string, timeout = 10_000): Promise<Answer> {
  const request = url.startsWith("https:") ? encrypted : plain;
  const { host, hostname } = new URL(url);
  // RFC 6761: a name that ends in `.localhost` means this machine. The machine's resolver may not
  // resolve such a name, so this function connects to 127.0.0.1.
  const here = hostname.endsWith(".localhost") ? { hostname: "127.0.0.1" } : {};
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...here, agent: false, headers: { host }, timeout }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        body += chunk;
        if (body.length > mostBytes) sent.destroy(new Error("the answer is larger than 1 MB"));
      });
      answer.once("error", reject).once("end", () => {
        const version = String(answer.headers["service-version"] ?? "");
        resolve({ body, status: answer.statusCode ?? 0, version });
      });
    });
    sent.once("timeout", () => {
      sent.destroy(new Error(`no answer within ${String(timeout / 1000)} s`));
    });
    sent.once("error", reject).end();
  });
}
