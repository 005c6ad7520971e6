import { connect } from "node:net";
import { ask } from "../clients/http";

/**
 * The functions in this file open connections from this machine. Such a connection counts as a
 * connection of the ingress if the ingress's requests come from this machine.
 */

/**
 * Tries to open a TCP connection. Returns the result in the words of connect.pl, such as `open`.
 */
export function tcp(address: string, port: number, seconds: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: seconds * 1000 });
    const end = (seen: string) => () => {
      socket.destroy();
      resolve(seen);
    };
    socket.once("connect", end("open")).once("timeout", end("time-out"));
    socket.once("error", ({ code = "error" }: NodeJS.ErrnoException) => {
      end(code === "ECONNREFUSED" ? "refused" : code.toLowerCase())();
    });
  });
}

/**
 * Requests the service's health route at the service's URL. Returns `open` if the service answers
 * with status 200. Any other status counts as an answer of the gateway, such as `http-503`.
 */
export async function http(url: string, seconds: number): Promise<string> {
  try {
    const { status } = await ask(`${url}health/live`, seconds * 1000);
    return status === 200 ? "open" : `http-${String(status)}`;
  } catch (error) {
    return ((error as NodeJS.ErrnoException).code ?? "time-out").toLowerCase();
  }
}
