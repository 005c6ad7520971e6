import { isHealthy } from "./health-checks";
import {
  buildkitDaemon,
  containerdDaemon,
  etcdDaemon,
  ingressDaemon,
  networkPolicyDaemon,
  registryDaemons,
  storageDaemon,
} from "./node/daemons";
import { apiServerDaemon, controlDaemons, nodeDaemons } from "./node/kubernetes";
import { options, type Options } from "./layout";
import { logFile } from "./logs";
import { initPid } from "./node/processes";
import { type Daemon, daemonPid } from "./node/supervision";

/** Returns all daemons, in the order in which the status shows them. */
function daemons(chosen: Options): Daemon[] {
  const edge = [...registryDaemons(chosen), buildkitDaemon()];
  if (chosen.kubeconfig !== undefined) {
    return edge;
  }
  return [
    ...[...edge, containerdDaemon(), etcdDaemon(), apiServerDaemon(), ...controlDaemons()],
    ...[...nodeDaemons(), storageDaemon(), networkPolicyDaemon(), ingressDaemon(chosen)],
  ];
}

export interface Status {
  readonly what: string;
  readonly state: string;
  readonly good: boolean;
}

/** Returns the status of the sandbox: which daemons run, and which services answer. */
export async function status(): Promise<Status[]> {
  const chosen = options();
  if (initPid() === undefined) {
    return [
      { what: "sandbox", state: "not running; start it with: npm run sandbox -- up", good: false },
    ];
  }
  const rows = daemons(chosen).map(({ name }): Status => {
    const pid = daemonPid(name);
    return pid === undefined
      ? { what: name, state: `not running; its log: ${logFile(name)}`, good: false }
      : { what: name, state: `runs, process ${String(pid)}`, good: true };
  });
  const hasCluster = chosen.kubeconfig === undefined;
  const checks: [what: string, isOurs: boolean, check: () => Promise<boolean>][] = [
    ["builder answers", true, isHealthy.builder],
    ["registry answers", chosen.registry === undefined, isHealthy.registry],
    ["API server answers", hasCluster, isHealthy.apiServer],
    ["node is Ready", hasCluster, isHealthy.node],
    ["cluster DNS answers", hasCluster, isHealthy.dns],
    ["ingress controller answers", hasCluster, isHealthy.ingress],
    ["metrics are available", hasCluster, isHealthy.metrics],
  ];
  for (const [what, isOurs, check] of checks) {
    if (!isOurs) continue;
    const good = await check().catch(() => false);
    rows.push({ what, state: good ? "yes" : "no", good });
  }
  return rows;
}
