import assert from "node:assert/strict";
import { ResourceError } from "@pulumi/pulumi";
import { Canary, type CanaryArgs } from "../../../components/web-service/canary";
import { WebService } from "../../../components/web-service/web-service";
import { type Door, doors } from "../../../components/conventions/connections";
import { selector, trackSelector } from "../../../components/conventions/labels";
import { database, everyPodArg, identity, release, web } from "../../support/fixtures";
import { matchesGolden } from "../../support/golden";
import { type Manifest, type Recorder, record, settled } from "../../support/mocks";
import { type Endpoint, letsOut } from "../../support/network";

const deployment = "kubernetes:apps/v1:Deployment";
const networkPolicy = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const podArgs = Object.fromEntries(
  Object.entries(everyPodArg).filter(([arg]) => arg !== "iamRoleArn"),
);
const args: CanaryArgs = {
  ...web,
  database,
  host: "orders.example.com",
  replicas: 2,
  serviceAccountName: "services-orders",
  tls: true,
};

async function made(more: Partial<CanaryArgs> = {}): Promise<Recorder> {
  const recorder = await record();
  new Canary("services-orders-canary", { ...args, ...more });
  await settled();
  return recorder;
}

async function production(): Promise<Recorder> {
  const recorder = await record();
  new WebService("services-orders", { ...args, replicas: args.replicas + 1 });
  await settled();
  return recorder;
}

const deploymentOf = async (more: Partial<CanaryArgs> = {}): Promise<Manifest> =>
  (await made(more)).one(deployment).inputs;

describe("Canary", () => {
  it("matches its golden manifest", async () => {
    matchesGolden("canary", await made());
  });

  it("matches its golden manifest with every arg of a pod", async () => {
    matchesGolden("canary-everything", await made(podArgs));
  });

  it("makes one Deployment and its NetworkPolicy, which comes first, and nothing else", async () => {
    const recorder = await made();
    assert.deepEqual(recorder.list(), [
      `${deployment} services-orders-canary`,
      `${networkPolicy} services-orders-canary`,
      "services:k8s:Canary services-orders-canary",
    ]);
    assert.equal(recorder.one(deployment).parentage, `services:k8s:Canary$${deployment}`);
    assert.equal(recorder.one(networkPolicy).parentage, `services:k8s:Canary$${networkPolicy}`);
    const { dependencies } = recorder.one(deployment);
    assert.ok(
      dependencies.some((urn) => urn.includes(networkPolicy)),
      dependencies.join(", "),
    );
  });

  it("makes a ConfigMap for configFiles, which its pods mount by its name", async () => {
    const recorder = await made({ configFiles: { "/etc/orders/limits.json": "{}" } });
    const configMap = recorder.one("kubernetes:core/v1:ConfigMap");
    assert.equal(configMap.parentage, "services:k8s:Canary$kubernetes:core/v1:ConfigMap");
    assert.equal(recorder.custom().length, 3);
    const { volumes } = recorder.one(deployment).inputs.spec.template.spec;
    assert.ok(JSON.stringify(volumes).includes("services-orders-canary-auto"));
  });

  it("is behind production's Service, and in neither its Deployment nor its disruption budget", async () => {
    const { spec } = await deploymentOf();
    const pod: Record<string, string> = spec.template.metadata.labels;
    const selects = (selector: object) =>
      Object.entries(selector).every(([key, value]) => pod[key] === value);
    const prod = await production();
    assert.ok(selects(prod.one("kubernetes:core/v1:Service").inputs.spec.selector));
    assert.ok(selects(spec.selector.matchLabels));
    assert.equal(selects(prod.one(deployment).inputs.spec.selector.matchLabels), false);
    const budget = prod.one("kubernetes:policy/v1:PodDisruptionBudget").inputs.spec.selector;
    assert.equal(selects(budget.matchLabels), false);
  });

  it("runs pods that differ from those of production only in track and owner of the ServiceAccount, without a migration", async () => {
    const prod = (await production()).one(deployment).inputs.spec.template;
    const canary = (await deploymentOf()).spec.template;
    const { initContainers, ...prodSpec } = prod.spec;
    assert.equal(initContainers.length, 1);
    // The labels and the topology spread constraints contain the name of the track, so the test
    // replaces this name. Only production's pods have an init container. All other fields of the
    // pods must be the same.
    const stable = JSON.stringify(canary).replaceAll('"canary"', '"stable"');
    assert.deepEqual(JSON.parse(stable), { ...prod, spec: prodSpec });
    assert.equal(canary.metadata.labels.track, "canary");
    assert.equal(prodSpec.serviceAccountName, "services-orders");
  });

  describe("may connect", () => {
    const within = (labels: Readonly<Record<string, string>>, namespace: string): Endpoint => ({
      address: "10.0.3.1",
      pod: { labels, namespace: { "kubernetes.io/metadata.name": namespace } },
    });
    const at = (address: string): Endpoint => ({ address });
    const parties: Readonly<Record<Door["party"], readonly Endpoint[]>> = {
      // The selectors of the policy must not match these pods: the first has no labels, and the
      // second has the labels of the cluster's DNS, but is in another namespace.
      "another pod": [within({}, "ns"), within({ "k8s-app": "kube-dns" }, "ns")].map((one) => ({
        ...one,
        address: "198.51.100.1",
      })),
      "Datadog agent": ["10.0.0.2", "100.64.3.4", "172.31.0.9", "192.168.1.1"].map(at),
      database: ["10.0.32.1", "192.168.7.7"].map(at),
      DNS: [within({ "k8s-app": "kube-dns" }, "kube-system")].map((one) => ({
        ...one,
        address: "198.51.100.2",
      })),
      job: [{ ...within(selector(identity, "job"), "ns"), address: "198.51.100.3" }],
      "other namespaces": [{ ...within({}, "other"), address: "198.51.100.4" }],
      service: [{ ...within(selector(identity, "web"), "ns"), address: "198.51.100.5" }],
      "the internet": ["203.0.113.9", "169.254.169.254"].map(at),
    };
    const canaryPod = within(trackSelector(identity, "web", "canary"), "ns");

    async function opened(more: Partial<CanaryArgs> = {}): Promise<readonly string[]> {
      const { inputs } = (await made(more)).one(networkPolicy);
      return Object.entries<Door>(doors)
        .filter(([, { party, port, protocol }]) =>
          parties[party].some((to) => letsOut([inputs], { from: canaryPod, port, protocol, to })),
        )
        .map(([name]) => name);
    }
    // By default, a canary may connect to the database and to Datadog's agent at private addresses,
    // and to the DNS pods of the cluster.
    const own = ["database", "DNS by UDP", "DNS by TCP"];
    const agent = ["Datadog agent, metrics", "Datadog agent, traces"];

    it("to the same destinations as the code of a review stack, and to no other", async () => {
      assert.deepEqual(await opened(), [...own, ...agent]);
    });

    it("to the database on its own port and at its own addresses only", async () => {
      const cidr = "10.0.32.0/20";
      const policy = (
        await made({ database: { ...database, port: 6432 }, databaseTo: [{ ipBlock: { cidr } }] })
      ).one(networkPolicy).inputs;
      const letsTo = (address: string, port: number) =>
        letsOut([policy], { from: canaryPod, port, protocol: "TCP", to: at(address) });
      assert.equal(letsTo("10.0.32.1", 6432), true);
      assert.equal(letsTo("10.0.32.1", 5432), false);
      assert.equal(letsTo("10.0.64.1", 6432), false);
    });

    it("to nothing but DNS, when no addresses are given", async () => {
      const closed = { databaseTo: [], datadogAgentTo: [] };
      assert.deepEqual(await opened(closed), ["DNS by UDP", "DNS by TCP"]);
    });

    it("to a DNS server that is not a pod, on port 53 only", async () => {
      const dnsTo = [{ ipBlock: { cidr: "203.0.113.9/32" } }];
      assert.deepEqual(await opened({ dnsTo }), [...own, ...agent, "the internet, DNS port"]);
    });

    it("to what egressTo names", async () => {
      const to = [{ ipBlock: { cidr: "203.0.113.9/32" } }];
      const egressTo = [{ ports: [{ port: 443, protocol: "TCP" }], to }];
      assert.deepEqual(await opened({ egressTo }), [...own, ...agent, "the internet"]);
    });

    it("while production's own pods stay as they are", async () => {
      const { inputs } = (await made()).one(networkPolicy);
      const stable = within(trackSelector(identity, "web", "stable"), "ns");
      const to = at("203.0.113.9");
      assert.equal(letsOut([inputs], { from: stable, port: 443, protocol: "TCP", to }), true);
    });
  });

  it("never migrates and never seeds, also when its args say so", async () => {
    const sly = { migrationArgs: ["migrate"], seedArgs: ["seed"], track: "stable" } as object;
    const { spec } = await deploymentOf(sly);
    assert.equal(spec.template.spec.initContainers, undefined);
    assert.equal(spec.selector.matchLabels.track, "canary");
  });

  it("has the pods, the ServiceAccount and the release of its args", async () => {
    const { metadata, spec } = await deploymentOf({ serviceAccountName: "production" });
    assert.equal(spec.replicas, 2);
    assert.equal(spec.template.spec.serviceAccountName, "production");
    assert.equal(metadata.labels.commit_id, release.commit.slice(0, 7));
    assert.equal(metadata.name, "services-orders-canary");
    assert.equal(metadata.namespace, "ns");
  });

  it("waits for its own pods a minute longer than Kubernetes does, and is never protected", async () => {
    const { customTimeouts, protect } = (await made()).one(deployment);
    assert.equal(customTimeouts["create"], "360s");
    assert.equal(customTimeouts["update"], "360s");
    assert.equal(protect, false);
  });

  it("does not change the caller's args", async () => {
    await record();
    new Canary("services-orders-canary", Object.freeze({ ...args }));
    await settled();
  });

  describe("applies overrides last to", () => {
    const cases: readonly [string, CanaryArgs["overrides"], (spec: Manifest) => unknown][] = [
      [
        "the container",
        { container: (container) => ({ ...container, tty: true }) },
        (spec) => spec.template.spec.containers[0].tty,
      ],
      [
        "the pod",
        { podSpec: (spec) => ({ ...spec, hostIPC: true }) },
        (spec) => spec.template.spec.hostIPC,
      ],
      [
        "the Deployment",
        { deploymentSpec: (spec) => ({ ...spec, paused: true }) },
        (s) => s.paused,
      ],
    ];
    for (const [what, overrides, read] of cases) {
      it(what, async () => {
        assert.equal(read((await deploymentOf({ ...(overrides && { overrides }) })).spec), true);
        assert.equal(read((await deploymentOf()).spec), undefined);
      });
    }
  });

  it("applies overrides last to the NetworkPolicy", async () => {
    const policyTypes = ["Egress", "Ingress"];
    const overrides = { networkPolicySpec: (spec: object) => ({ ...spec, policyTypes }) };
    const { inputs } = (await made({ overrides: overrides as never })).one(networkPolicy);
    assert.deepEqual(inputs.spec.policyTypes, policyTypes);
    assert.equal(inputs.spec.egress.length, 3);
  });

  describe("refuses", () => {
    const cases: readonly [Partial<CanaryArgs>, string][] = [
      [{ replicas: 0 }, "replicas must be at least 1, got 0; destroy the stack to have no canary"],
      [
        { replicas: -1 },
        "replicas must be an integer from 0 to 1000, got -1; raise it to at least 0",
      ],
      [
        { imageRef: "services-orders:latest" },
        'imageRef must be repository@sha256:<64 hex digits>, got "services-orders:latest"; name the image by its digest: a tag may be moved',
      ],
      [
        { egressTo: [{ ports: [{ port: 443 }] }] },
        'egressTo[0].to must have at least one peer, got null; write the addresses, such as [{ ipBlock: { cidr: "203.0.113.7/32" } }]',
      ],
      [
        { terminationGracePeriodSeconds: 54 },
        "terminationGracePeriodSeconds must be an integer of at least 55 (preStopSeconds + drainSeconds + 10), got 54; raise it, or lower the other two",
      ],
    ];
    for (const [more, text] of cases) {
      it(text, async () => {
        const recorder = await record();
        assert.throws(
          () => new Canary("services-orders-canary", { ...args, ...more }),
          (error: Error) => {
            assert.ok(ResourceError.isInstance(error));
            assert.equal(error.message, `Canary "services-orders-canary": ${text}`);
            return true;
          },
        );
        await settled();
        assert.equal(recorder.custom().length, 0);
      });
    }

    it("every issue in one message, one line each, before the first child", async () => {
      const recorder = await record();
      assert.throws(
        () => new Canary("Canary", { ...args, port: 80, replicas: 0 }),
        (error: Error) => {
          assert.deepEqual(
            error.message.split("\n").map((line) => line.split(" must ")[0]),
            ['Canary "Canary": name', 'Canary "Canary": port', 'Canary "Canary": replicas'],
          );
          return true;
        },
      );
      await settled();
      assert.equal(recorder.custom().length, 0);
    });
  });

  it("carries production's labels on its Deployment and pods", async () => {
    const { metadata, spec } = await deploymentOf();
    assert.deepEqual(metadata.labels, spec.template.metadata.labels);
    assert.equal(metadata.labels["app.kubernetes.io/instance"], identity.instance);
    assert.equal(metadata.labels["app.kubernetes.io/component"], "web");
  });
});
