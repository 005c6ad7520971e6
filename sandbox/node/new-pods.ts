import { join } from "node:path";
import { replaceFile } from "../../lib/replace";
import { cniPlugins, tool } from "../install/debian";
import { runInNamespaces } from "./processes";

/**
 * The pod network plugin of the sandbox. It runs the plugin `ptp`, and closes the firewall for a
 * new pod before the pod's first instruction. The NetworkPolicy agent opens the firewall when the
 * agent knows the pod's address, and from then on decides about the pod's connections. Without the
 * closed firewall, the agent would accept every connection of a pod that it does not know yet.
 */
export const podNetworkPlugin = "sandbox-ptp";

/** Set of the addresses of new pods. No packet from or to these addresses passes. */
export const newPods = "sandbox-new-pods";

/**
 * Set of the pod addresses that are open, although the agent may already know policies for these
 * pods. The kernel removes an address after its timeout.
 */
const openPods = "sandbox-open-pods";
/** Seconds during which the firewall is open for a new pod in a namespace of the standard mode. */
const openSeconds = 6;

/**
 * First part of the names of namespaces with the standard mode of EKS, a test fixture. AWS: "Until
 * all of the policies are configured for the new pod, containers in the new pod will start with a
 * default allow policy. This is called standard mode. A default allow policy means that all ingress
 * and egress traffic is allowed to and from the new pods." EKS does not name the time until the
 * policies are configured, so the fixture has a fixed time. Unlike on EKS, a namespace chooses the
 * mode, and not the cluster.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
 */
const standardModePrefix = "standard-mode";

/**
 * Returns the plugin, a shell script. Kubernetes tells a plugin the pod's namespace in CNI_ARGS.
 * The result of ptp has the new pod's address.
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
  // "timeout 0" allows a timeout for each address, and sets no default timeout.
  await create(openPods, "hash:ip", "timeout", "0");
  const file = join(cniPlugins, podNetworkPlugin);
  replaceFile(file, pluginScript(join(cniPlugins, "ptp"), ipset), 0o755);
}

/**
 * The iptables rules for both sets. They must come before the rules that send connections to the
 * agent.
 */
export const newPodRules = (["RETURN", "DROP"] as const).flatMap((target) =>
  (["src", "dst"] as const).map((side) => {
    const set = target === "RETURN" ? openPods : newPods;
    return `-A SANDBOX-POLICIES -m set --match-set ${set} ${side} -j ${target}`;
  }),
);
