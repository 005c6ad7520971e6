import { BlockList } from "node:net";
import type { Manifest } from "./mocks";

/**
 * Computes from the manifests of NetworkPolicies which connections the policies allow. Supports pod
 * selectors, namespace selectors, address blocks and ports, with the semantics of
 * networking.k8s.io/v1.
 */

type Labels = Readonly<Record<string, string>>;

/** One end of a connection: a pod, or an address that does not belong to a pod. */
export interface Endpoint {
  readonly address: string;
  readonly pod?: {
    readonly labels: Labels;
    /**
     * Labels of the pod's namespace. The label `kubernetes.io/metadata.name` must contain the
     * namespace's name.
     */
    readonly namespace: Labels;
  };
}

interface Connection {
  readonly from: Endpoint;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly to: Endpoint;
}

const nameLabel = "kubernetes.io/metadata.name";

function matches(selector: Manifest, labels: Labels): boolean {
  const exact = Object.entries(selector.matchLabels ?? {});
  const expressions: Manifest[] = selector.matchExpressions ?? [];
  return (
    exact.every(([key, value]) => labels[key] === value) &&
    expressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        default:
          throw new Error(`no operator of a selector: ${String(operator)}`);
      }
    })
  );
}

function inBlock(address: string, cidr: string): boolean {
  const [network = "", bits] = cidr.split("/");
  const block = new BlockList();
  block.addSubnet(network, Number(bits), "ipv4");
  return block.check(address, "ipv4");
}

function isPeer(peer: Manifest, { address, pod }: Endpoint, own: string): boolean {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  if (ipBlock !== undefined) {
    const except: string[] = ipBlock.except ?? [];
    return inBlock(address, ipBlock.cidr) && !except.some((cidr) => inBlock(address, cidr));
  }
  if (pod === undefined) return false;
  const namespace =
    namespaceSelector === undefined
      ? pod.namespace[nameLabel] === own
      : matches(namespaceSelector, pod.namespace);
  return namespace && (podSelector === undefined || matches(podSelector, pod.labels));
}

/**
 * Whether a rule allows the connection. A rule without peers allows every peer, and a rule without
 * ports allows every port.
 */
function isOpen(rule: Manifest, peers: Manifest, other: Endpoint, on: Connection, own: string) {
  const ports: Manifest[] = rule.ports ?? [];
  const byPort =
    ports.length === 0 ||
    ports.some(
      ({ endPort, port, protocol = "TCP" }) =>
        protocol === on.protocol &&
        (port === undefined || (on.port >= port && on.port <= (endPort ?? port))),
    );
  const all: Manifest[] = peers ?? [];
  return byPort && (all.length === 0 || all.some((peer) => isPeer(peer, other, own)));
}

function oneWay(policies: readonly Manifest[], on: Connection, way: "Egress" | "Ingress"): boolean {
  const { pod } = way === "Egress" ? on.from : on.to;
  const other = way === "Egress" ? on.to : on.from;
  if (pod === undefined) return true;
  const own = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace[nameLabel] &&
      spec.policyTypes.includes(way) &&
      matches(spec.podSelector, pod.labels),
  );
  // If no policy for this direction selects the pod, Kubernetes allows all connections of the pod
  // in this direction.
  if (own.length === 0) return true;
  return own.some(({ metadata, spec }) => {
    const rules: Manifest[] = (way === "Egress" ? spec.egress : spec.ingress) ?? [];
    return rules.some((rule) =>
      isOpen(rule, way === "Egress" ? rule.to : rule.from, other, on, metadata.namespace),
    );
  });
}

/**
 * Whether the policies let a connection leave its source. True if no policy for egress selects the
 * source.
 */
export function letsOut(policies: readonly Manifest[], connection: Connection): boolean {
  return oneWay(policies, connection, "Egress");
}

/**
 * Whether the policies let a connection reach its target. True if no policy for ingress selects the
 * target.
 */
export function letsIn(policies: readonly Manifest[], connection: Connection): boolean {
  return oneWay(policies, connection, "Ingress");
}
