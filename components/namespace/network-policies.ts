import type * as k8s from "@pulumi/kubernetes";
import { datadogPorts, postgres } from "../conventions/defaults";
import { type Identity, instanceSelector, selector } from "../conventions/labels";
import { type Override, applyOverride } from "../conventions/override";

type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;
type Port = k8s.types.input.networking.v1.NetworkPolicyPort;
type Spec = k8s.types.input.networking.v1.NetworkPolicySpec;
type EgressRule = k8s.types.input.networking.v1.NetworkPolicyEgressRule;
type Selector = k8s.types.input.meta.v1.LabelSelector;

/** Names of the NetworkPolicies of a review namespace. */
export const networkPolicyNames = [
  "default-deny",
  "ingress-to-web",
  "service-to-database",
  "database-from-service",
  "service-to-dns",
  "service-to-datadog",
  "service-to-others",
] as const;
export type NetworkPolicyName = (typeof networkPolicyNames)[number];

/** Values that the policies depend on. */
export interface Connections {
  readonly datadogAgentTo: readonly Peer[];
  readonly egressTo: readonly EgressRule[];
  readonly identity: Identity;
  readonly ingressFrom: readonly Peer[];
  /** Ports of the web pods that `ingressFrom` may connect to. */
  readonly webPorts: readonly number[];
}

/** Overrides of the policies' specs, by the policy's name. */
export type NetworkPolicyOverrides = {
  readonly [Name in NetworkPolicyName]?: Override<Spec>;
};

const tcp = (port: number): Port => ({ port, protocol: "TCP" });
const udp = (port: number): Port => ({ port, protocol: "UDP" });

/**
 * Pods of the cluster's DNS. CoreDNS has the label of kube-dns in every Kubernetes distribution.
 */
const dns: Peer = {
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
  podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
};

function specs(connections: Connections): Readonly<Record<NetworkPolicyName, Spec | undefined>> {
  const { datadogAgentTo, egressTo, identity, ingressFrom, webPorts } = connections;
  const web: Selector = { matchLabels: selector(identity, "web") };
  const database: Selector = { matchLabels: selector(identity, "database") };
  // Selects all pods that run the service's code: web pods with their migrations, and jobs.
  const code: Selector = {
    matchExpressions: [
      { key: "app.kubernetes.io/component", operator: "In", values: ["web", "job"] },
    ],
    matchLabels: instanceSelector(identity),
  };
  const egress = (podSelector: Selector, ...rules: EgressRule[]): Spec => ({
    egress: rules,
    podSelector,
    policyTypes: ["Egress"],
  });
  const ingress = (
    podSelector: Selector,
    from: readonly Peer[],
    ports: readonly number[],
  ): Spec => ({
    ingress: [{ from: [...from], ports: ports.map(tcp) }],
    podSelector,
    policyTypes: ["Ingress"],
  });
  return {
    "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    // Without peers, there is no policy, because a rule without peers allows all sources.
    "ingress-to-web": ingressFrom.length === 0 ? undefined : ingress(web, ingressFrom, webPorts),
    "service-to-database": egress(code, {
      ports: [tcp(postgres.port)],
      to: [{ podSelector: database }],
    }),
    "database-from-service": ingress(database, [{ podSelector: code }], [postgres.port]),
    "service-to-dns": egress(code, { ports: [udp(53), tcp(53)], to: [dns] }),
    "service-to-datadog":
      datadogAgentTo.length === 0
        ? undefined
        : egress(code, {
            ports: [udp(datadogPorts.metrics), tcp(datadogPorts.traces)],
            to: [...datadogAgentTo],
          }),
    "service-to-others": egressTo.length === 0 ? undefined : egress(code, ...egressTo),
  };
}

/** Returns the specs of the policies that allow the connections, after the overrides. */
export function networkPolicySpecs(
  connections: Connections,
  overrides: NetworkPolicyOverrides = {},
): readonly (readonly [NetworkPolicyName, Spec])[] {
  const all = specs(connections);
  return networkPolicyNames.flatMap((name) => {
    const spec = all[name];
    return spec === undefined ? [] : [[name, applyOverride(overrides[name], spec)] as const];
  });
}
