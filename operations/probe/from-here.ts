import { request } from "node:http";
import { request as requestTls } from "node:https";
import { connect } from "node:net";

/** Connections from this machine. It acts as the ingress if requests come from this machine. */

/** The result of a connection, in the words of connect.pl. */
export function tcp(address: string, port: number, seconds: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: seconds * 1000 });
    const end = (seen: string) => {
      socket.destroy();
      resolve(seen);
    };
    socket.once("connect", () => {
      end("open");
    });
    socket.once("timeout", () => {
      end("time-out");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      end(error.code === "ECONNREFUSED" ? "refused" : (error.code ?? "error").toLowerCase());
    });
  });
}

/** Whether the service answers at its URL. Any other answer comes from the gateway. */
export function http(url: string, seconds: number): Promise<string> {
  const { hostname, pathname, port, protocol } = new URL(url);
  // Browsers and curl resolve these names everywhere (RFC 6761). Not every system resolver does.
  const host = hostname.endsWith(".localhost") ? "127.0.0.1" : hostname;
  const send = protocol === "https:" ? requestTls : request;
  return new Promise((resolve) => {
    const asked = send({
      headers: { host: port === "" ? hostname : `${hostname}:${port}` },
      host,
      path: `${pathname}health/live`,
      ...(port === "" ? {} : { port }),
      servername: hostname,
      timeout: seconds * 1000,
    });
    const end = (seen: string) => {
      asked.destroy();
      resolve(seen);
    };
    asked.once("response", ({ statusCode = 0 }) => {
      end(statusCode === 200 ? "open" : `http-${String(statusCode)}`);
    });
    asked.once("timeout", () => {
      end("time-out");
    });
    asked.once("error", (error: NodeJS.ErrnoException) => {
      end((error.code ?? "error").toLowerCase());
    });
    asked.end();
  });
}
