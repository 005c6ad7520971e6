import assert from "node:assert/strict";
import { ResourceError } from "@pulumi/pulumi";
import {
  ReviewNamespace,
  type ReviewNamespaceArgs,
} from "../../../components/namespace/review-namespace";
import { StackNamespace } from "../../../components/namespace/stack-namespace";
import { identity } from "../../support/fixtures";
import { matchesGolden } from "../../support/golden";
import { type Manifest, type Recorder, record, settled, valueOf } from "../../support/mocks";

const types = {
  limitRange: "kubernetes:core/v1:LimitRange",
  namespace: "kubernetes:core/v1:Namespace",
  networkPolicy: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
  resourceQuota: "kubernetes:core/v1:ResourceQuota",
};
const args: ReviewNamespaceArgs = {
  identity,
  ingressFrom: [{ ipBlock: { cidr: "10.20.0.0/20" } }],
  namespace: "services-orders-review-x",
};

interface Made extends Recorder {
  readonly made: ReviewNamespace;
}

async function made(more: Partial<ReviewNamespaceArgs> = {}): Promise<Made> {
  const recorder = await record();
  const namespace = new ReviewNamespace("namespace", { ...args, ...more });
  await settled();
  return Object.assign(recorder, { made: namespace });
}

const policyNames = (recorder: Recorder): readonly string[] =>
  recorder.all(types.networkPolicy).map(({ inputs }) => String(inputs.metadata.name));

describe("ReviewNamespace", () => {
  it("matches its golden manifest", async () => {
    matchesGolden("review-namespace", await made());
  });

  it("makes a namespace, a quota, limits and a policy for each need, all its children", async () => {
    const recorder = await made();
    const policy = (name: string) => `${types.networkPolicy} namespace-${name}`;
    assert.deepEqual(
      recorder
        .custom()
        .map(({ name, type }) => `${type} ${name}`)
        .sort(),
      [
        `${types.limitRange} namespace`,
        `${types.namespace} namespace`,
        policy("database-from-service"),
        policy("default-deny"),
        policy("ingress-to-web"),
        policy("service-to-database"),
        policy("service-to-datadog"),
        policy("service-to-dns"),
        `${types.resourceQuota} namespace`,
      ].sort(),
    );
    const parent = "services:k8s:ReviewNamespace";
    for (const { parentage, type } of recorder.custom()) {
      const between = type === types.namespace ? "$services:k8s:StackNamespace" : "";
      assert.equal(parentage, `${parent}${between}$${type}`);
    }
  });

  it("puts every guardrail into the namespace, with the labels of the stack and of no release", async () => {
    const recorder = await made();
    const { labels } = recorder.one(types.namespace).inputs.metadata;
    for (const { inputs, type } of recorder.custom()) {
      if (type === types.namespace) continue;
      assert.equal(inputs.metadata.namespace, args.namespace);
      for (const [key, value] of Object.entries(inputs.metadata.labels)) {
        assert.equal(labels[key], value, key);
      }
      assert.equal(inputs.metadata.labels["app.kubernetes.io/managed-by"], "pulumi");
      assert.equal("version" in inputs.metadata.labels, false);
    }
  });

  it("makes the namespace that StackNamespace makes, with Pod Security restricted", async () => {
    const { inputs } = (await made()).one(types.namespace);
    const recorder = await record();
    new StackNamespace("namespace", { identity, namespace: args.namespace });
    await settled();
    assert.deepEqual(inputs, recorder.one(types.namespace).inputs);
    assert.equal(inputs.metadata.labels["pod-security.kubernetes.io/enforce"], "restricted");
  });

  it("keeps the namespace of a stack that was made before it had guardrails", async () => {
    const recorder = await made();
    const { aliases } = recorder.one("services:k8s:StackNamespace");
    // The alias is the old URN of the namespace. In the old URN, the namespace has no parent, but
    // the same type and name.
    const [alias, ...more] = aliases;
    assert.equal(alias?.["noparent"], true);
    assert.equal(alias["name"], "");
    assert.deepEqual(more, []);
  });

  it("tells its name only to what waits for every guardrail", async () => {
    const recorder = await made();
    const output = recorder.made.namespace;
    assert.equal(await valueOf(output), args.namespace);
    // `allResources` is the method with which Pulumi's SDK finds the resources that an output
    // depends on.
    const sdk = output as unknown as { allResources(): Promise<Set<unknown>> };
    const waitsFor = await sdk.allResources();
    const { limitRange, namespace, networkPolicies, resourceQuota } = recorder.made.nodes;
    for (const resource of [limitRange, namespace, ...networkPolicies, resourceQuota]) {
      assert.ok(waitsFor.has(resource));
    }
  });

  it("allows in total what quota says, no LoadBalancer and no node port", async () => {
    const quota = { cpu: "500m", memory: "1Gi", pods: 4 };
    const { spec } = (await made({ quota })).one(types.resourceQuota).inputs;
    assert.deepEqual(spec, {
      hard: {
        "count/configmaps": "20",
        "count/cronjobs.batch": "100",
        "count/ingresses.networking.k8s.io": "2",
        "count/jobs.batch": "200",
        "count/secrets": "20",
        "limits.ephemeral-storage": "8192Mi",
        persistentvolumeclaims: "2",
        pods: "4",
        "requests.cpu": "500m",
        "requests.ephemeral-storage": "512Mi",
        "requests.memory": "1Gi",
        "requests.storage": "10Gi",
        services: "5",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
      },
    });
  });

  it("has room for ten pods, two cores and 4 Gi unless told, and never limits CPU", async () => {
    const { hard } = (await made()).one(types.resourceQuota).inputs.spec;
    assert.equal(hard.pods, "10");
    assert.equal(hard["requests.cpu"], "2");
    assert.equal(hard["requests.memory"], "4Gi");
    assert.equal("limits.cpu" in hard, false);
    const { limits } = (await made()).one(types.limitRange).inputs.spec;
    assert.equal("cpu" in limits[0].default, false);
  });

  it("gives a container that asks for nothing what a pod of ours asks for, within its limit", async () => {
    const { limits } = (await made()).one(types.limitRange).inputs.spec;
    assert.deepEqual(limits, [
      {
        default: { "ephemeral-storage": "1Gi", memory: "512Mi" },
        defaultRequest: { cpu: "250m", "ephemeral-storage": "64Mi", memory: "512Mi" },
        maxLimitRequestRatio: { memory: "4" },
        type: "Container",
      },
    ]);
  });

  it("closes everything first: the default policy is for every pod and has no rule", async () => {
    const recorder = await made();
    const { spec } = recorder.one(types.networkPolicy, "namespace-default-deny").inputs;
    assert.deepEqual(spec, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  });

  it("makes no policy with an empty list of peers, which Kubernetes takes for everybody", async () => {
    const names = policyNames(await made({ datadogAgentTo: [], egressTo: [], ingressFrom: [] }));
    assert.deepEqual(
      [...names].sort(),
      ["database-from-service", "default-deny", "service-to-database", "service-to-dns"].sort(),
    );
  });

  it("accepts no connection from outside unless told from where", async () => {
    const recorder = await record();
    new ReviewNamespace("namespace", { identity, namespace: "ns" });
    await settled();
    assert.equal(policyNames(recorder).includes("ingress-to-web"), false);
  });

  it("looks for Datadog's agent at private addresses unless told where it is", async () => {
    const peersOf = async (more: Partial<ReviewNamespaceArgs>): Promise<Manifest> =>
      (await made(more)).one(types.networkPolicy, "namespace-service-to-datadog").inputs.spec
        .egress[0].to;
    assert.deepEqual(
      (await peersOf({})).map(({ ipBlock }: Manifest) => ipBlock.cidr),
      ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"],
    );
    const node = [{ ipBlock: { cidr: "198.51.100.2/32" } }];
    assert.deepEqual(await peersOf({ datadogAgentTo: node }), node);
  });

  it("asks for the readiness gate with the preset for EKS, and protects its namespace when told", async () => {
    const recorder = await made({ ingressPreset: "eks-alb", protect: true });
    const namespace = recorder.one(types.namespace);
    assert.equal(
      namespace.inputs.metadata.labels["elbv2.k8s.aws/pod-readiness-gate-inject"],
      "enabled",
    );
    assert.equal(namespace.protect, true);
    assert.equal((await made()).one(types.namespace).protect, false);
  });

  it("does not change the caller's args", async () => {
    await record();
    const given = { ...args, demands: Object.freeze([]), ingressFrom: Object.freeze([]) };
    new ReviewNamespace("namespace", Object.freeze(given));
    await settled();
  });

  describe("applies overrides last to", () => {
    const cases: readonly [string, ReviewNamespaceArgs["overrides"], string, unknown][] = [
      [
        "the limits",
        { limitRangeSpec: (spec) => ({ ...spec, limits: [] }) },
        `${types.limitRange} namespace`,
        { limits: [] },
      ],
      [
        "the quota",
        { resourceQuotaSpec: (spec) => ({ ...spec, hard: { pods: "1" } }) },
        `${types.resourceQuota} namespace`,
        { hard: { pods: "1" } },
      ],
      [
        "one policy by its name",
        {
          networkPolicySpecs: {
            "default-deny": (spec) => ({ ...spec, policyTypes: ["Ingress"] }),
          },
        },
        `${types.networkPolicy} namespace-default-deny`,
        { podSelector: {}, policyTypes: ["Ingress"] },
      ],
    ];
    for (const [what, overrides, key, expected] of cases) {
      it(`${what}, and leave the rest as it was`, async () => {
        const specs = (recorder: Recorder) =>
          Object.fromEntries(
            recorder.custom().map(({ inputs, name, type }) => [`${type} ${name}`, inputs.spec]),
          ) as Record<string, unknown>;
        const plain = specs(await made());
        const changed = specs(await made({ ...(overrides && { overrides }) }));
        assert.deepEqual(changed, { ...plain, [key]: expected });
        assert.notDeepEqual(plain[key], expected);
      });
    }
  });

  describe("refuses", () => {
    const requests = { cpu: "250m", memory: "512Mi" };
    const cases: readonly [Partial<ReviewNamespaceArgs>, string][] = [
      [
        { namespace: "a_b" },
        'namespace must be a DNS label of at most 63 characters, got "a_b"; use lower case letters, digits and hyphens, start with a letter, and do not end with a hyphen',
      ],
      [
        { quota: { cpu: "0", memory: "4Gi", pods: 1 } },
        'quota.cpu must be a CPU quantity above 0, got "0"; write cores or thousandths, such as "2" or "500m"',
      ],
      [
        { quota: { cpu: "2", memory: "4GB", pods: 1 } },
        'quota.memory must be a memory quantity in Ki, Mi or Gi, got "4GB"; write it as "4Gi"',
      ],
      [
        { quota: { cpu: "2", memory: "4Gi", pods: 0 } },
        "quota.pods must be an integer from 1 to 1000, got 0; raise it to at least 1",
      ],
      [
        {
          demands: [
            { name: "web", pods: 3, requests },
            { name: "postgres", pods: 1, requests: { cpu: "50m", memory: "128Mi" } },
          ],
          quota: { cpu: "1", memory: "1Gi", pods: 3 },
        },
        'quota must have room for 4 pods, 800m CPU and 1664Mi memory (3 web, 1 postgres), got {"cpu":"1","memory":"1Gi","pods":3}; lower replicas or requests, suspend jobs, or raise the quota',
      ],
      [
        { egressTo: [{ ports: [{ port: 443, protocol: "TCP" }] }] },
        'egressTo[0].to must have at least one peer, got null; write the addresses, such as [{ ipBlock: { cidr: "203.0.113.7/32" } }]',
      ],
      [
        { egressTo: [{ to: [{ ipBlock: { cidr: "203.0.113.7/32" } }] }, { to: [] }] },
        'egressTo[1].to must have at least one peer, got []; write the addresses, such as [{ ipBlock: { cidr: "203.0.113.7/32" } }]',
      ],
      [
        { webPort: 80 },
        "webPort must be an integer from 1025 to 65535, got 80; raise it to at least 1025",
      ],
    ];
    for (const [more, text] of cases) {
      it(text, async () => {
        const recorder = await record();
        assert.throws(
          () => new ReviewNamespace("namespace", { ...args, ...more }),
          (error: Error) => {
            assert.ok(ResourceError.isInstance(error));
            assert.equal(error.message, `ReviewNamespace "namespace": ${text}`);
            return true;
          },
        );
        await settled();
        assert.equal(recorder.custom().length, 0);
      });
    }

    it("every issue in one message, one line each, before the first child", async () => {
      const recorder = await record();
      const faulty: ReviewNamespaceArgs = {
        ...args,
        egressTo: [{}],
        namespace: "-",
        quota: { cpu: "x", memory: "y", pods: 1.5 },
        webPort: 70_000,
      };
      assert.throws(
        () => new ReviewNamespace("namespace", faulty),
        (error: Error) => {
          const args = error.message.split("\n").map((line) => / (\S+) must /.exec(line)?.[1]);
          assert.deepEqual(args, [
            "namespace",
            "quota.cpu",
            "quota.memory",
            "quota.pods",
            "egressTo[0].to",
            "webPort",
          ]);
          return true;
        },
      );
      await settled();
      assert.equal(recorder.custom().length, 0);
    });
  });
});
