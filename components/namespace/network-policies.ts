import type * as k8s from "@pulumi/kubernetes";
import { datadogPorts, postgres } from "../conventions/defaults";
import { type Identity, instanceSelector, selector } from "../conventions/labels";
import { type Override, applyOverride } from "../conventions/override";
import { type Checked, check } from "../conventions/validation";

export type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;
type Port = k8s.types.input.networking.v1.NetworkPolicyPort;
type Spec = k8s.types.input.networking.v1.NetworkPolicySpec;
export type EgressRule = k8s.types.input.networking.v1.NetworkPolicyEgressRule;
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

/** Values from which this file builds the specs of the NetworkPolicies. */
export interface Connections {
  readonly datadogAgentTo: readonly Peer[];
  readonly dnsTo: readonly Peer[];
  readonly egressTo: readonly EgressRule[];
  readonly identity: Identity;
  readonly ingressFrom: readonly Peer[];
  /** Ports of the web pods that `ingressFrom` may connect to. */
  readonly webPorts: readonly number[];
}

/** Functions that change the specs of the policies, by the name of the policy. */
export type NetworkPolicyOverrides = {
  readonly [Name in NetworkPolicyName]?: Override<Spec>;
};

const tcp = (port: number): Port => ({ port, protocol: "TCP" });
const udp = (port: number): Port => ({ port, protocol: "UDP" });

/**
 * Pods of the cluster's DNS. In the usual Kubernetes distributions, the pods of CoreDNS have the
 * label of kube-dns, the predecessor of CoreDNS.
 */
const dns: Peer = {
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
  podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
};

/** Destinations to which pods with the service's code may connect. */
export interface Destinations {
  readonly database: { readonly port: number; readonly to: readonly Peer[] };
  readonly datadogAgentTo: readonly Peer[];
  readonly dnsTo: readonly Peer[];
  readonly egressTo: readonly EgressRule[];
}

/**
 * Returns the egress rules of pods that run the service's code. If a destination has no peers, this
 * function returns no rule for it, because in Kubernetes a rule without peers allows all
 * destinations.
 */
export function egressRules({ database, datadogAgentTo, dnsTo, egressTo }: Destinations) {
  const rule = (ports: Port[], to: readonly Peer[]): EgressRule[] =>
    to.length === 0 ? [] : [{ ports, to: [...to] }];
  return {
    database: rule([tcp(database.port)], database.to),
    datadog: rule([udp(datadogPorts.metrics), tcp(datadogPorts.traces)], datadogAgentTo),
    dns: rule([udp(53), tcp(53)], [dns, ...dnsTo]),
    others: [...egressTo],
  };
}

/** Checks that every rule of the arg `egressTo` has a peer, and returns the issues. */
export function egressIssues(egressTo: readonly EgressRule[]): readonly Checked[] {
  return egressTo.map(({ to }, index) =>
    check(to !== undefined && !(Array.isArray(to) && to.length === 0), {
      arg: `egressTo[${String(index)}].to`,
      got: to ?? null,
      rule: "have at least one peer",
      fix: 'write the addresses, such as [{ ipBlock: { cidr: "203.0.113.7/32" } }]',
    }),
  );
}

function specs(connections: Connections): Readonly<Record<NetworkPolicyName, Spec | undefined>> {
  const { datadogAgentTo, dnsTo, egressTo, identity, ingressFrom, webPorts } = connections;
  const web: Selector = { matchLabels: selector(identity, "web") };
  const database: Selector = { matchLabels: selector(identity, "database") };
  // Selects all pods that run the service's code: web pods with their migrations, and jobs.
  const code: Selector = {
    matchExpressions: [
      { key: "app.kubernetes.io/component", operator: "In", values: ["web", "job"] },
    ],
    matchLabels: instanceSelector(identity),
  };
  const egress = (podSelector: Selector, rules: EgressRule[]): Spec | undefined =>
    rules.length === 0 ? undefined : { egress: rules, podSelector, policyTypes: ["Egress"] };
  const ingress = (
    podSelector: Selector,
    from: readonly Peer[],
    ports: readonly number[],
  ): Spec => ({
    ingress: [{ from: [...from], ports: ports.map(tcp) }],
    podSelector,
    policyTypes: ["Ingress"],
  });
  const to = egressRules({
    database: { port: postgres.port, to: [{ podSelector: database }] },
    datadogAgentTo,
    dnsTo,
    egressTo,
  });
  return {
    "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    // If `ingressFrom` has no peers, there is no policy, because a rule without peers allows all
    // sources.
    "ingress-to-web": ingressFrom.length === 0 ? undefined : ingress(web, ingressFrom, webPorts),
    "service-to-database": egress(code, to.database),
    "database-from-service": ingress(database, [{ podSelector: code }], [postgres.port]),
    "service-to-dns": egress(code, to.dns),
    "service-to-datadog": egress(code, to.datadog),
    "service-to-others": egress(code, to.others),
  };
}

/**
 * Returns the specs of the policies, with the overrides applied. Without overrides, the policies
 * allow the given connections, and connections to the database and the cluster's DNS. The policies
 * block all other connections.
 */
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
