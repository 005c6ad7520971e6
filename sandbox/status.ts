import { answers } from "./health-checks";
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
import { boxPid } from "./node/processes";
import { type Daemon, daemonPid, logFile } from "./node/supervision";

/** Every daemon, in the order of their start. */
function daemons(chosen: Options): Daemon[] {
  const edge = [
    ...(chosen.registry === undefined ? registryDaemons(chosen) : []),
    buildkitDaemon(),
  ];
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

/** What runs, what answers, and what the sandbox cannot do. */
export async function status(): Promise<Status[]> {
  const chosen = options();
  const rows: Status[] = [];
  if (boxPid() === undefined) {
    return [
      { what: "sandbox", state: "not running; start it with: npm run sandbox -- up", good: false },
    ];
  }
  for (const daemon of daemons(chosen)) {
    const pid = daemonPid(daemon.name);
    rows.push({
      what: daemon.name,
      state:
        pid === undefined
          ? `not running; its log: ${logFile(daemon.name)}`
          : `runs, process ${String(pid)}`,
      good: pid !== undefined,
    });
  }
  const checks: [string, () => Promise<boolean>][] = [["builder answers", answers.builder]];
  if (chosen.registry === undefined) {
    checks.push(["registry answers", answers.registry]);
  }
  if (chosen.kubeconfig === undefined) {
    checks.push(
      ["API server answers", answers.apiServer],
      ["node is Ready", answers.node],
      ["cluster DNS answers", answers.dns],
      ["ingress controller answers", answers.ingress],
      ["metrics are available", answers.metrics],
    );
  }
  for (const [what, check] of checks) {
    const good = await check().catch(() => false);
    rows.push({ what, state: good ? "yes" : "no", good });
  }
  return rows;
}
