import { Resolver } from "node:dns/promises";
import { command } from "../lib/command";
import { messageOf, UserError } from "../lib/errors";
import { duration, eventually } from "../lib/time";
import { NODE } from "./node/certificates";
import { program } from "./install/download-or-build";
import { net, options, paths } from "./layout";
import { endOfLog, logFile } from "./logs";
import { kubectl } from "./node/kubernetes";
import { type Daemon, daemonPid } from "./node/supervision";

/**
 * Timeout for the start of one of the sandbox's programs, in milliseconds. In our measurements,
 * each start took about a tenth of this timeout.
 */
const HEALTHY_MS = 120_000;

/**
 * Waits until `check` returns true.
 *
 * @throws UserError if the daemon ends before `check` returns true, or if `check` has not returned
 * true after two minutes. The error message contains the end of the daemon's log or, if `daemon` is
 * undefined, the text that `cause` returns.
 */
export async function waitUntilHealthy(
  what: string,
  daemon: Daemon | undefined,
  check: () => Promise<boolean>,
  cause: () => Promise<string> = async () => Promise.resolve(""),
): Promise<void> {
  const hasEnded = (): boolean => daemon !== undefined && daemonPid(daemon.name) === undefined;
  const seen = { healthy: false, error: "" };
  await eventually(async () => {
    seen.healthy = await check().catch((error: unknown) => {
      seen.error = `: ${messageOf(error).split("\n").at(-1) ?? ""}`;
      return false;
    });
    return seen.healthy || hasEnded();
  }, HEALTHY_MS);
  if (seen.healthy) return;
  const words =
    daemon === undefined
      ? await cause().catch(() => "")
      : `; the end of ${logFile(daemon.name)}:\n${endOfLog(daemon.name)}`;
  throw new UserError(
    hasEnded()
      ? `${what} ended right after its start${words}`
      : `${what} did not answer within ${duration(HEALTHY_MS)}${seen.error}${words}`,
  );
}

async function http(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
}

const ask = async (...args: string[]): Promise<string> =>
  kubectl(["--request-timeout=5s", ...args]);

/**
 * Returns a text with the last warning events of the namespace kube-system, from the oldest to the
 * newest. The text contains at most five events. If a pod of this namespace does not run, one of
 * these events usually contains the reason. The text is empty if there are no warning events.
 */
export async function podWarnings(): Promise<string> {
  const events = await ask(
    ...["get", "events", "--namespace=kube-system", "--field-selector=type=Warning"],
    ...["--sort-by=.lastTimestamp", "-o"],
    'jsonpath={range .items[*]}{.involvedObject.name}: {.reason}: {.message}{"\\n"}{end}',
  );
  const last = [...new Set(events.trim().split("\n"))].filter((line) => line !== "").slice(-5);
  return last.length === 0
    ? ""
    : `; the last warning events in namespace kube-system:\n${last.join("\n")}`;
}

/**
 * Functions that check whether a daemon or a service of the sandbox works. Each function sends a
 * request.
 */
export const isHealthy = {
  registry: async (): Promise<boolean> =>
    http(`http://127.0.0.1:${String(options().registryPort)}/v2/`),
  builder: async (): Promise<boolean> =>
    (await command(
      program("buildkit", "buildctl"),
      [`--addr=unix://${paths.buildkitSocket}`, "debug", "workers"],
      {
        timeout: 5_000,
      },
    )) !== "",
  apiServer: async (): Promise<boolean> => (await ask("get", "--raw", "/readyz")) === "ok",
  node: async (): Promise<boolean> => {
    const ready = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
    return (await ask("get", "node", NODE, "-o", ready)) === "True";
  },
  dns: async (): Promise<boolean> => {
    const resolver = new Resolver({ timeout: 1_000, tries: 1 });
    resolver.setServers([net.dnsService]);
    return (await resolver.resolve4("kubernetes.default.svc.cluster.local")).includes(
      net.apiService,
    );
  },
  ingress: async (): Promise<boolean> =>
    http(`http://127.0.0.1:${String(options().ingressPort)}/ping`),
  metrics: async (): Promise<boolean> =>
    (await ask("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")).includes(NODE),
};
