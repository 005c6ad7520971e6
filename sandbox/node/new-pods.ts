import { join } from "node:path";
import { replaceFile } from "../../lib/replace";
import { cniPlugins, tool } from "../install/debian";
import { runInNamespaces } from "./processes";

/**
 * The pod network plugin of the sandbox. This plugin runs the plugin `ptp`, and closes the firewall
 * for a new pod before the pod's containers start. When the NetworkPolicy agent has received the
 * pod's address from the API server, the agent opens the firewall. After that, the agent accepts or
 * rejects the pod's connections. If the firewall were not closed, the agent would accept every
 * connection of a pod whose address it has not received yet. In namespaces with the standard mode,
 * the plugin does not close the firewall: see {@link standardModePrefix}.
 */
export const podNetworkPlugin = "sandbox-ptp";

/**
 * Set of the addresses of new pods. The kernel drops packets from and to these addresses, except
 * packets from the node itself and packets of established connections.
 */
export const newPods = "sandbox-new-pods";

/**
 * Set of the addresses of new pods in namespaces with the standard mode. The firewall is open for
 * these pods, so no policy applies to them. The kernel removes each address from the set after
 * {@link openSeconds}.
 */
const openPods = "sandbox-open-pods";
/**
 * Seconds during which the firewall is open for a new pod in a namespace with the standard mode.
 */
const openSeconds = 6;

/**
 * First part of the names of namespaces in which new pods behave as in the standard mode of EKS.
 * Only tests create such namespaces. AWS describes the mode: "Until all of the policies are
 * configured for the new pod, containers in the new pod will start with a default allow policy.
 * This is called standard mode. A default allow policy means that all ingress and egress traffic is
 * allowed to and from the new pods." AWS does not say how long this configuration takes, so the
 * sandbox uses a fixed time. On EKS, the mode is a setting of the cluster. In the sandbox, the mode
 * depends on the name of the namespace.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
 */
const standardModePrefix = "standard-mode";

/**
 * Returns the content of the plugin, which is a shell script. The environment variable CNI_ARGS
 * contains the pod's namespace, and the result of the plugin `ptp` contains the new pod's address.
 *
 * @see https://github.com/containernetworking/cni/blob/main/SPEC.md
 */
export function pluginScript(ptp: string, ipset: string): string {
  return `#!/bin/sh
# Written by sandbox/node/new-pods.ts.
if [ "$CNI_COMMAND" != ADD ]; then exec "${ptp}"; fi
result=$("${ptp}")
code=$?
printf '%s\\n' "$result"
if [ "$code" != 0 ]; then exit "$code"; fi
address=$(printf '%s' "$result" | tr -d ' \\n' | sed -n 's|.*"address":"\\([0-9.]*\\)/.*|\\1|p')
case ";$CNI_ARGS;" in
*";K8S_POD_NAMESPACE=${standardModePrefix}"*) set -- ${openPods} "$address" timeout ${String(openSeconds)} ;;
*) set -- ${newPods} "$address" ;;
esac
"${ipset}" add -exist "$@" >&2
`;
}

/**
 * Creates the sets of addresses, and writes the plugin. Call this function before containerd
 * starts.
 */
export async function prepareNewPods(): Promise<void> {
  const ipset = tool("ipset");
  const create = async (...set: readonly string[]) =>
    runInNamespaces([ipset, "create", "-exist", ...set]);
  await create(newPods, "hash:ip");
  // With "timeout 0", each address can have a timeout, and an address without a timeout stays in
  // the set.
  await create(openPods, "hash:ip", "timeout", "0");
  const file = join(cniPlugins, podNetworkPlugin);
  replaceFile(file, pluginScript(join(cniPlugins, "ptp"), ipset), 0o755);
}

/**
 * The iptables rules for the sets {@link openPods} and {@link newPods}. These rules must come
 * before the rules that send connections to the agent.
 */
export const newPodRules = (["RETURN", "DROP"] as const).flatMap((target) =>
  (["src", "dst"] as const).map((side) => {
    const set = target === "RETURN" ? openPods : newPods;
    return `-A SANDBOX-POLICIES -m set --match-set ${set} ${side} -j ${target}`;
  }),
);
