import { Resolver } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../lib/command";
import { duration } from "../lib/time";
import { UserError } from "../lib/errors";
import { NODE } from "./node/certificates";
import { buildctl, kubectl } from "./node/daemons";
import { kubectlEnvironment, net, options, paths } from "./layout";
import { type Daemon, daemonPid, lastWords, logFile } from "./node/supervision";

/** How long something may take to answer after its start. Measured starts take a tenth of it. */
const ANSWER_MS = 120_000;

/**
 * Waits until something answers. If its daemon has ended, or time is up, the error shows the end of
 * the daemon's log.
 */
export async function until(
  what: string,
  daemon: Daemon | undefined,
  answers: () => Promise<boolean>,
  cause: () => Promise<string> = async () => Promise.resolve(""),
): Promise<void> {
  const deadline = Date.now() + ANSWER_MS;
  let reason = "";
  for (;;) {
    const answered = await answers().catch((error: unknown) => {
      reason = `: ${error instanceof Error ? (error.message.split("\n").at(-1) ?? "") : String(error)}`;
      return false;
    });
    if (answered) {
      return;
    }
    if (daemon !== undefined && daemonPid(daemon.name) === undefined) {
      throw new UserError(
        `${what} ended right after its start; the end of ${logFile(daemon.name)}:\n${lastWords(daemon)}`,
      );
    }
    if (Date.now() > deadline) {
      const words =
        daemon === undefined
          ? await cause().catch(() => "")
          : `; the end of ${logFile(daemon.name)}:\n${lastWords(daemon)}`;
      throw new UserError(`${what} did not answer within ${duration(ANSWER_MS)}${reason}${words}`);
    }
    await sleep(100);
  }
}

async function http(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
}

async function kube(...args: string[]): Promise<string> {
  return command(kubectl(), [`--kubeconfig=${paths.kubeconfig}`, "--request-timeout=5s", ...args], {
    env: kubectlEnvironment(),
    timeout: 30_000,
  });
}

/**
 * Why pods of kube-system do not run: their events of type Warning, newest last. Empty if there are
 * none: then the cause is not a pod.
 */
export async function podWarnings(): Promise<string> {
  const events = await kube(
    ...["get", "events", "--namespace=kube-system", "--field-selector=type=Warning"],
    ...["--sort-by=.lastTimestamp", "-o"],
    'jsonpath={range .items[*]}{.involvedObject.name}: {.reason}: {.message}{"\\n"}{end}',
  );
  const last = [...new Set(events.trim().split("\n"))].filter((line) => line !== "").slice(-5);
  return last.length === 0 ? "" : `; warnings of its pods:\n${last.join("\n")}`;
}

/** Whether a part of the sandbox works: each function sends it a request. */
export const answers = {
  registry: async (): Promise<boolean> =>
    http(`http://127.0.0.1:${String(options().registryPort)}/v2/`),
  builder: async (): Promise<boolean> =>
    (await command(buildctl(), [`--addr=unix://${paths.buildkitSocket}`, "debug", "workers"], {
      timeout: 5_000,
    })) !== "",
  apiServer: async (): Promise<boolean> => (await kube("get", "--raw", "/readyz")) === "ok",
  node: async (): Promise<boolean> =>
    (await kube(
      "get",
      "node",
      NODE,
      "-o",
      'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
    )) === "True",
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
    (await kube("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")).includes(NODE),
};
