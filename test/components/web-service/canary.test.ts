import assert from "node:assert/strict";
import { ResourceError } from "@pulumi/pulumi";
import { Canary, type CanaryArgs } from "../../../components/web-service/canary";
import { WebService } from "../../../components/web-service/web-service";
import { database, everyPodArg, identity, release, web } from "../../support/fixtures";
import { matchesGolden } from "../../support/golden";
import { type Manifest, type Recorder, record, settled } from "../../support/mocks";

const deployment = "kubernetes:apps/v1:Deployment";
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

  it("makes one Deployment and nothing else, a child of the component", async () => {
    const recorder = await made();
    assert.deepEqual(recorder.list(), [
      `${deployment} services-orders-canary`,
      "services:k8s:Canary services-orders-canary",
    ]);
    assert.equal(recorder.one(deployment).parentage, `services:k8s:Canary$${deployment}`);
  });

  it("makes a ConfigMap for configFiles, which its pods mount by its name", async () => {
    const recorder = await made({ configFiles: { "/etc/orders/limits.json": "{}" } });
    const configMap = recorder.one("kubernetes:core/v1:ConfigMap");
    assert.equal(configMap.parentage, "services:k8s:Canary$kubernetes:core/v1:ConfigMap");
    assert.equal(recorder.custom().length, 2);
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
    // The labels and the topology spread constraints name the track, so replace the track's name.
    // All other fields of the pods must be the same.
    const stable = JSON.stringify(canary).replaceAll('"canary"', '"stable"');
    assert.deepEqual(JSON.parse(stable), { ...prod, spec: prodSpec });
    assert.equal(canary.metadata.labels.track, "canary");
    assert.equal(prodSpec.serviceAccountName, "services-orders");
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
