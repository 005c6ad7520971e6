/**
 * The table in this file shows which connections the NetworkPolicies allow in the namespace of a
 * review or local stack. The tests compare the NetworkPolicies with the table, and `npm run probe`
 * compares the connections in a cluster with the table.
 */

/**
 * Sources of connections. A migration runs before the service: in an init container of the
 * service's pods, or in a Job.
 */
export const sources = [
  "service",
  "migration",
  "job",
  "database",
  "another pod",
  "ingress",
  "other namespaces",
  "the internet",
] as const;
export type Source = (typeof sources)[number];

/** Destination of a connection: a pod or a host (`party`), and its port. */
export interface Door {
  readonly party:
    | "another pod"
    | "database"
    | "Datadog agent"
    | "DNS"
    | "job"
    | "other namespaces"
    | "service"
    | "the internet";
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
}

const door = (party: Door["party"], port: number, protocol: Door["protocol"] = "TCP"): Door => ({
  party,
  port,
  protocol,
});

/**
 * All destinations, by a readable name. The list also contains ports that must be closed, so that
 * the tests find a policy that opens too many ports.
 */
export const doors = {
  service: door("service", 8080),
  "service, management port": door("service", 8081),
  "service, debug port": door("service", 5005),
  job: door("job", 8080),
  "another pod": door("another pod", 8080),
  "another pod, database port": door("another pod", 5432),
  database: door("database", 5432),
  "database, another port": door("database", 8080),
  "DNS by UDP": door("DNS", 53, "UDP"),
  "DNS by TCP": door("DNS", 53),
  "DNS, metrics port": door("DNS", 9153),
  "DNS, another UDP port": door("DNS", 9153, "UDP"),
  "Datadog agent, metrics": door("Datadog agent", 8125, "UDP"),
  "Datadog agent, traces": door("Datadog agent", 8126),
  "node, kubelet": door("Datadog agent", 10_250),
  "node, another UDP port": door("Datadog agent", 10_250, "UDP"),
  "other namespaces": door("other namespaces", 8080),
  "other namespaces, database port": door("other namespaces", 5432),
  "other namespaces, DNS port": door("other namespaces", 53),
  "the internet": door("the internet", 443),
  "the internet, DNS port": door("the internet", 53),
  "the internet, traces port": door("the internet", 8126),
} as const satisfies Readonly<Record<string, Door>>;
export type DoorName = keyof typeof doors;

/** Destinations that the service's code needs, in web pods, migrations and jobs. */
const code: readonly DoorName[] = [
  "database",
  "DNS by UDP",
  "DNS by TCP",
  "Datadog agent, metrics",
  "Datadog agent, traces",
];

/**
 * Destinations that each source may connect to. The policies block all other connections.
 * {@link connectionsOf} adds the health checks of a load balancer. This table does not contain the
 * kubelet's probes. The probes come from the pod's own node, and NetworkPolicies cannot block
 * connections from this node.
 */
const open: Readonly<Record<Source, readonly DoorName[]>> = {
  "another pod": [],
  database: [],
  ingress: ["service"],
  job: code,
  migration: code,
  "other namespaces": [],
  service: code,
  "the internet": [],
};

/** One row of the table: whether a source may connect to a destination. */
export interface Connection {
  readonly allowed: boolean;
  readonly from: Source;
  readonly to: DoorName;
}

/**
 * Sources outside the namespace. The namespace's policies do not apply to a connection from such a
 * source to a destination outside the namespace.
 */
const outside: readonly string[] = ["ingress", "other namespaces", "the internet"];
const inside: readonly string[] = ["service", "job", "another pod", "database"];

/**
 * Returns all pairs of source and destination that the namespace's policies can allow or forbid.
 *
 * @param ingressPreset with `eks-alb`, the load balancer checks the health of the pods itself
 */
export function connectionsOf(ingressPreset?: "eks-alb"): readonly Connection[] {
  const healthChecks = (from: Source, to: DoorName) =>
    ingressPreset !== undefined && from === "ingress" && to === "service, management port";
  return sources.flatMap((from) =>
    (Object.keys(doors) as DoorName[])
      .filter((to) => !outside.includes(from) || inside.includes(doors[to].party))
      .map((to) => ({ allowed: open[from].includes(to) || healthChecks(from, to), from, to })),
  );
}

/** The table of a stack whose load balancer does not check the health of the pods. */
export const connections = connectionsOf();
