import assert from "node:assert/strict";
import { join } from "node:path";
import type { ClusterFacts } from "../../components/cluster";
import { jobs } from "../../jobs";
import { type Settings, settingsFrom } from "../../settings";
import { Repository, digest } from "../fixtures";
import { type Recorder, builtDigest, record, settled, valueOf } from "../mocks";
import program = require("../../index");

const clusterUid = "00000000-0000-0000-0000-000000000001";
const empty: ClusterFacts = { clusterUid, namespace: undefined };

function settingsOf(stack: string, config: Readonly<Record<string, string>> = {}): Settings {
  return settingsFrom({
    config: { "services-orders:domain": "localhost", ...config },
    env: { SANDBOX_INGRESS_PORT: "8080", SANDBOX_REGISTRY: "localhost:5000" },
    git: { branch: "main", commit: "0123456789".repeat(4) },
    stack,
  });
}

describe("the program", () => {
  const home = process.cwd();
  let files: Repository;
  beforeEach(() => {
    // The program takes the repository for the directory it runs in.
    files = new Repository();
    process.chdir(files.root);
  });
  afterEach(() => {
    process.chdir(home);
    files.remove();
  });

  interface Run {
    readonly outputs: Readonly<Record<string, unknown>>;
    readonly recorder: Recorder;
  }

  async function run(settings: Settings, facts = empty): Promise<Run> {
    const recorder = await record(settings.stack);
    const outputs = await program({
      readCluster: () => Promise.resolve(facts),
      readSettings: () => Promise.resolve(settings),
    });
    const values = await Promise.all(
      Object.entries(outputs).map(async ([key, value]) => [key, await valueOf(value as string)]),
    );
    await settled();
    return { outputs: Object.fromEntries(values) as Run["outputs"], recorder };
  }

  it("as local owns exactly these resources", async () => {
    const { recorder } = await run(settingsOf("local"));
    assert.deepEqual(
      recorder
        .custom()
        .map(({ name, type }) => `${type} ${name}`)
        .sort(),
      [
        "docker-build:index:Image image",
        "kubernetes:apps/v1:Deployment services-orders",
        "kubernetes:apps/v1:StatefulSet postgres",
        "kubernetes:batch/v1:CronJob expire-unpaid",
        "kubernetes:batch/v1:CronJob export",
        "kubernetes:core/v1:Namespace namespace",
        "kubernetes:core/v1:Secret postgres",
        "kubernetes:core/v1:Service postgres",
        "kubernetes:core/v1:Service services-orders",
        "kubernetes:core/v1:ServiceAccount services-orders",
        "kubernetes:networking.k8s.io/v1:Ingress services-orders",
        "kubernetes:policy/v1:PodDisruptionBudget services-orders",
        "pulumi:providers:kubernetes kubernetes",
      ],
    );
  });

  it("as local tells where the service is and what it runs", async () => {
    const { outputs } = await run(settingsOf("local"));
    assert.deepEqual(outputs, {
      clusterUid,
      commit: "0123456789".repeat(4),
      imageRef: `localhost:5000/services-orders@${builtDigest}`,
      namespace: "services-orders-local",
      url: "http://services-orders.localhost:8080/",
    });
  });

  it("puts everything into the stack's own namespace, with the one explicit provider", async () => {
    const { recorder } = await run(settingsOf("local"));
    const kubernetes = recorder.custom().filter(({ type }) => type.startsWith("kubernetes:"));
    assert.equal(kubernetes.length, 11);
    for (const { inputs, provider, type } of kubernetes) {
      assert.match(provider, /::pulumi:providers:kubernetes::kubernetes::/, type);
      if (type === "kubernetes:core/v1:Namespace") {
        assert.equal(inputs.metadata.name, "services-orders-local");
      } else {
        assert.equal(inputs.metadata.namespace, "services-orders-local", type);
      }
    }
  });

  it("runs the one image everywhere, by digest", async () => {
    const { recorder } = await run(settingsOf("local"));
    const expected = `localhost:5000/services-orders@${builtDigest}`;
    const pod = recorder.one("kubernetes:apps/v1:Deployment").inputs.spec.template.spec;
    const images = [...pod.containers, ...pod.initContainers].map(({ image }) => String(image));
    for (const { inputs } of recorder.all("kubernetes:batch/v1:CronJob")) {
      images.push(String(inputs.spec.jobTemplate.spec.template.spec.containers[0].image));
    }
    assert.deepEqual(images, [expected, expected, expected, expected]);
  });

  it("builds from paths that are the same on every machine", async () => {
    const { recorder } = await run(settingsOf("local"));
    const { context, dockerfile } = recorder.one("docker-build:index:Image").inputs;
    assert.equal(context.location, join("service", "target", "image"));
    assert.equal(dockerfile.location, join("service", "Dockerfile"));
  });

  it("holds back every job in local, unless its entry says otherwise", async () => {
    const { recorder } = await run(settingsOf("local"));
    const made = recorder.all("kubernetes:batch/v1:CronJob");
    assert.equal(made.length, jobs.length);
    for (const { inputs } of made) assert.equal(inputs.spec.suspend, true);
  });

  it("puts no kubeconfig and no token into the state, only a context's name", async () => {
    const none = await run(settingsOf("local"));
    assert.deepEqual(none.recorder.one("pulumi:providers:kubernetes").inputs, {});
    const named = await run(settingsOf("local", { "services-orders:context": "sandbox" }));
    assert.deepEqual(named.recorder.one("pulumi:providers:kubernetes").inputs, {
      context: "sandbox",
    });
  });

  it("declares no image with imageRef, and needs nothing built", async () => {
    files.remove();
    files = new Repository(false);
    process.chdir(files.root);
    const imageRef = `localhost:5000/services-orders@${digest}`;
    const { outputs, recorder } = await run(
      settingsOf("local", { "services-orders:imageRef": imageRef }),
    );
    assert.equal(recorder.all("docker-build:index:Image").length, 0);
    assert.equal(outputs["imageRef"], imageRef);
  });

  it("registers nothing where the namespace is somebody else's", async () => {
    const facts = { clusterUid, namespace: { labels: {}, terminating: false } };
    const recorder = await record("local");
    const settings = settingsOf("local");
    await assert.rejects(
      program({
        readCluster: () => Promise.resolve(facts),
        readSettings: () => Promise.resolve(settings),
      }),
      { message: /^Namespace "services-orders-local" exists and is not this stack's/ },
    );
    await settled();
    assert.equal(recorder.resources.length, 0);
  });

  for (const [stack, kind] of [
    ["review-x", "review"],
    ["staging", "staging"],
    ["prod", "prod"],
    ["prod-canary", "canary"],
  ] as const) {
    it(`refuses ${stack}, which it cannot make yet, before anything is asked or made`, async () => {
      const recorder = await record(stack);
      const settings = settingsOf(stack, { "services-orders:branch": "x" });
      await assert.rejects(
        program({
          readCluster: () => Promise.reject(new Error("asked")),
          readSettings: () => Promise.resolve(settings),
        }),
        { message: `Stack "${stack}": stacks of kind ${kind} are not supported yet.` },
      );
      await settled();
      assert.equal(recorder.resources.length, 0);
    });
  }
});
