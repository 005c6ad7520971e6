import { connect } from "node:net";
import { ask } from "../clients/http";

/**
 * The functions in this file open connections from this machine. If the cluster runs on this
 * machine, the requests of the ingress controller come from the same address as these connections.
 * So these connections show which pods the ingress controller can reach.
 */

/**
 * Tries to open a TCP connection. Returns the result in the same words as connect.pl, such as
 * `open`.
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
 * Sends a request to the service's URL. Returns `open` if the response comes from the service, with
 * any status. Only the service's responses have the header `Service-Version`. A response without
 * this header comes from the ingress controller or the load balancer. The result then contains the
 * status of the response, such as `http-503`.
 */
export async function http(url: string, seconds: number): Promise<string> {
  try {
    const { status, version } = await ask(url, seconds * 1000);
    return version === "" ? `http-${String(status)}` : "open";
  } catch (error) {
    return ((error as NodeJS.ErrnoException).code ?? "time-out").toLowerCase();
  }
}
