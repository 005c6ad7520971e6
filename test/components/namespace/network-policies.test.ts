import assert from "node:assert/strict";
import {
  type Door,
  type Source,
  connections,
  connectionsOf,
  doors,
  sources,
} from "../../../components/conventions/connections";
import { networkPolicyNames } from "../../../components/namespace/network-policies";
import {
  ReviewNamespace,
  type ReviewNamespaceArgs,
} from "../../../components/namespace/review-namespace";
import { selector } from "../../../components/conventions/labels";
import { identity } from "../../support/fixtures";
import { type Manifest, record, settled } from "../../support/mocks";
import { type Endpoint, letsIn, letsOut } from "../../support/network";

const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const namespace = "services-orders-review-x";

async function policiesOf(args: Partial<ReviewNamespaceArgs> = {}): Promise<readonly Manifest[]> {
  const recorder = await record();
  const ingressFrom = [{ ipBlock: { cidr: "10.20.0.0/20" } }];
  new ReviewNamespace("namespace", { identity, ingressFrom, namespace, ...args });
  await settled();
  return recorder.all(type).map(({ inputs }) => inputs);
}

type Labels = Readonly<Record<string, string>>;
let pods = 0;
const pod = (labels: Labels, within = namespace): Endpoint => ({
  address: `10.0.3.${String(++pods)}`,
  pod: { labels, namespace: { "kubernetes.io/metadata.name": within } },
});
const address = (text: string): Endpoint => ({ address: text });

const web = selector(identity, "web");
const job = selector(identity, "job");
const database = selector(identity, "database");
/**
 * Returns one pod for each of these labels. The pod has a different value for this label, and the
 * given values for all other labels. So the policies must treat each of these pods as `another
 * pod`.
 */
const nearly = (labels: Labels): readonly Endpoint[] =>
  Object.keys(labels).map((label) => pod({ ...labels, [label]: "other" }));
const dns: Labels = { "k8s-app": "kube-dns" };

const endpoints: Readonly<Record<Door["party"] | Source, readonly Endpoint[]>> = {
  "another pod": [pod({}), ...nearly(web), ...nearly(job), ...nearly(database)],
  "Datadog agent": ["10.0.0.2", "100.64.3.4", "172.31.0.9", "192.168.1.1"].map(address),
  database: [pod(database)],
  DNS: [pod(dns, "kube-system")],
  ingress: ["10.20.0.1", "10.20.15.254"].map(address),
  job: [pod(job)],
  migration: [pod({ ...web, track: "stable" })],
  "other namespaces": [
    pod({}, "other"),
    pod(web, "other"),
    pod(database, "other"),
    // These pods are not DNS pods of the cluster: the first pod has no labels, and the second pod
    // is in another namespace.
    pod({}, "kube-system"),
    pod(dns, "other"),
  ],
  service: [pod({ ...web, track: "stable" }), pod({ ...web, track: "canary" })],
  "the internet": ["203.0.113.9", "169.254.169.254"].map(address),
};

const isInside = ({ pod }: Endpoint) => pod?.namespace["kubernetes.io/metadata.name"] === namespace;

/**
 * Returns what the policies do with the connections of a row in the table of connections: `open`,
 * `closed`, `half open` (the policies of only one end allow the connection) or `open for some` (the
 * result is not the same for all pods or addresses).
 */
function seen(policies: readonly Manifest[], from: Source, door: Door): string {
  const states = endpoints[from].flatMap((from) =>
    endpoints[door.party].map((to) => {
      const connection = { from, port: door.port, protocol: door.protocol, to };
      const ends = [
        ...(isInside(from) ? [letsOut(policies, connection)] : []),
        ...(isInside(to) ? [letsIn(policies, connection)] : []),
      ];
      if (ends.every(Boolean)) return "open";
      // If the policies of only one end allow the connection, the network blocks the connection. In
      // this case, the rule of that end has no effect, so the test reports the row.
      return ends.some(Boolean) ? "half open" : "closed";
    }),
  );
  const [first = "no endpoint"] = states;
  return states.every((state) => state === first) ? first : "open for some";
}

/** Returns one text for each row of the table that the policies do not implement. */
function differences(policies: readonly Manifest[], table = connections): readonly string[] {
  return table.flatMap(({ allowed, from, to }) => {
    const expected = allowed ? "open" : "closed";
    const actual = seen(policies, from, doors[to]);
    return actual === expected ? [] : [`${from} -> ${to}: ${actual}, not ${expected}`];
  });
}

interface Mutation {
  readonly policies: readonly Manifest[];
  readonly what: string;
}

/**
 * For each element of the policies (a policy, rule, peer, port or label), returns the policies
 * without this element.
 */
function mutations(policies: readonly Manifest[]): readonly Mutation[] {
  return policies.flatMap((policy, index) => {
    const name: string = policy.metadata.name;
    const others = policies.filter((_, other) => other !== index);
    const paths = [...leaves(policy.spec, [])];
    return [
      { policies: others, what: name },
      ...paths.map((path) => ({
        policies: [...others, { ...policy, spec: without(policy.spec, path) }],
        what: `${name}: ${path.join(".")}`,
      })),
    ];
  });
}

type Path = readonly (number | string)[];

/**
 * Yields the path of each list entry and each key that the test removes. After the removal of one
 * entry or one key, the policy is still valid.
 */
function* leaves(value: Manifest, path: Path): Generator<Path> {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    const at: Path = [...path, Array.isArray(value) ? Number(key) : key];
    if (canGo(value, key, path)) yield at;
    yield* leaves(value[key], at);
  }
}

function canGo(parent: Manifest, key: string, path: Path): boolean {
  const last = path.at(-1);
  // The test removes only two fields of the spec itself: `egress` and `ingress`. The test never
  // removes the only entry of `policyTypes`, because an empty list means the same as a missing
  // field.
  if (path.length === 0) return key === "egress" || key === "ingress";
  if (last === "policyTypes") return parent.length > 1;
  // If one of these four keys is missing, a policy is not valid. A port without `protocol` is a TCP
  // port, so the removal of `protocol: TCP` changes nothing. But the test removes the number of a
  // port, because a rule without this number allows every port.
  if (key === "cidr" || key === "operator" || key === "key" || key === "values") return false;
  return !(key === "protocol" && parent.protocol === "TCP");
}

function without(value: Manifest, [key, ...rest]: Path): Manifest {
  if (key === undefined) return value;
  if (Array.isArray(value)) {
    return rest.length === 0
      ? value.toSpliced(Number(key), 1)
      : value.with(Number(key), without(value[Number(key)], rest));
  }
  const { [key]: entry, ...others } = value;
  return rest.length === 0 ? others : { ...others, [key]: without(entry, rest) };
}

describe("the network policies of a review namespace", () => {
  it("let through exactly what the table of connections says, and close the rest at both ends", async () => {
    assert.deepEqual(differences(await policiesOf()), []);
  });

  it("open the management port to the load balancer that checks health, and to nothing else", async () => {
    const policies = await policiesOf({ ingressPreset: "eks-alb" });
    assert.deepEqual(differences(policies, connectionsOf("eks-alb")), []);
    assert.deepEqual(differences(policies), [
      "ingress -> service, management port: open, not closed",
    ]);
    const one = await policiesOf({ ingressPreset: "eks-alb", managementPort: 8080 });
    assert.deepEqual(differences(one), []);
    const other = await policiesOf({ ingressPreset: "eks-alb", managementPort: 9001 });
    const [from] = endpoints.ingress;
    const [to] = endpoints.service;
    assert.ok(from && to);
    assert.equal(letsIn(other, { from, port: 9001, protocol: "TCP", to }), true);
    assert.equal(letsIn(other, { from, port: 8081, protocol: "TCP", to }), false);
  });

  it("are compared with a table that has every source and every door", () => {
    for (const source of sources) assert.ok(connections.some(({ from }) => from === source));
    for (const door of Object.keys(doors)) assert.ok(connections.some(({ to }) => to === door));
    assert.ok(connections.some(({ allowed }) => allowed));
    assert.ok(connections.length > 80);
  });

  it("close the service to everybody without ingressFrom, and Datadog's agent without datadogAgentTo", async () => {
    const closed = await policiesOf({ datadogAgentTo: [], ingressFrom: [] });
    const agent = ["metrics", "traces"].flatMap((port) =>
      ["service", "migration", "job"].map((from) => `${from} -> Datadog agent, ${port}`),
    );
    assert.deepEqual(
      differences(closed)
        .map((text) => text.split(":")[0])
        .sort(),
      [...agent, "ingress -> service"].sort(),
    );
  });

  it("let in an ingress controller that is a pod, and no other pod of its namespace", async () => {
    const controller = { app: "nginx" };
    const policies = await policiesOf({
      ingressFrom: [
        {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "nginx" } },
          podSelector: { matchLabels: controller },
        },
      ],
    });
    const [to] = endpoints.service;
    assert.ok(to);
    const letsInFrom = (from: Endpoint) =>
      letsIn(policies, { from, port: 8080, protocol: "TCP", to });
    assert.equal(letsInFrom(pod(controller, "nginx")), true);
    assert.equal(letsInFrom(pod({}, "nginx")), false);
    assert.equal(letsInFrom(pod(controller, "other")), false);
  });

  it("open with dnsTo a DNS server that is not a pod, to the service's code and on port 53 only", async () => {
    const to = address("169.254.20.10");
    const policies = await policiesOf({ dnsTo: [{ ipBlock: { cidr: "169.254.20.10/32" } }] });
    for (const from of [...endpoints.service, ...endpoints.job]) {
      for (const protocol of ["TCP", "UDP"] as const) {
        assert.equal(letsOut(policies, { from, port: 53, protocol, to }), true);
        assert.equal(letsOut(policies, { from, port: 80, protocol, to }), false);
      }
    }
    const [database] = endpoints.database;
    assert.ok(database);
    assert.equal(letsOut(policies, { from: database, port: 53, protocol: "UDP", to }), false);
  });

  it("open with egressTo what it names, to the service's code and on its port only", async () => {
    const to = address("203.0.113.7");
    const ports = [{ port: 443, protocol: "TCP" }];
    const policies = await policiesOf({
      egressTo: [{ ports, to: [{ ipBlock: { cidr: "203.0.113.7/32" } }] }],
    });
    assert.deepEqual(differences(policies), []);
    for (const source of ["service", "migration", "job", "database", "another pod"] as const) {
      for (const from of endpoints[source]) {
        const out = (port: number) => letsOut(policies, { from, port, protocol: "TCP", to });
        assert.equal(out(443), source !== "database" && source !== "another pod", source);
        assert.equal(out(80), false);
      }
    }
  });

  it("carry the service's port when it is another one", async () => {
    const policies = await policiesOf({ webPort: 9000 });
    const [from] = endpoints.ingress;
    const [to] = endpoints.service;
    assert.ok(from && to);
    assert.equal(letsIn(policies, { from, port: 9000, protocol: "TCP", to }), true);
    assert.equal(letsIn(policies, { from, port: 8080, protocol: "TCP", to }), false);
  });

  describe("are all needed: the table differs without", () => {
    it("every policy by name", async () => {
      const policies = await policiesOf();
      const names = policies.map(({ metadata }) => String(metadata.name));
      // The policy `service-to-others` exists only if `egressTo` is set, and no row of the table
      // needs `egressTo`.
      assert.deepEqual(
        networkPolicyNames.filter((name) => !names.includes(name)),
        ["service-to-others"],
      );
      for (const { metadata } of policies) {
        const others = policies.filter((other) => other.metadata.name !== metadata.name);
        assert.notDeepEqual(differences(others), [], metadata.name);
      }
    });

    it("every rule, peer, port and label of every policy", async () => {
      const all = mutations(await policiesOf());
      assert.ok(all.length > 60, String(all.length));
      const unnoticed = all.filter(({ policies }) => differences(policies).length === 0);
      assert.deepEqual(
        unnoticed.map(({ what }) => what),
        [],
      );
    });
  });
});
