import assert from "node:assert/strict";
import { join } from "node:path";
import type { ClusterFacts } from "../../program/cluster";
import { labels } from "../../components/conventions/labels";
import type { LastRelease } from "../../program/last-release";
import { type Job, jobs } from "../../jobs";
import { type Settings, settingsFrom } from "../../settings";
import { rules } from "../../policy/rules";
import { Repository, digest } from "../support/fixtures";
import { type Recorder, builtDigest, record, settled, valueOf } from "../support/mocks";
import { said } from "../support/recorded";
import program = require("../../index");

const clusterUid = "00000000-0000-0000-0000-000000000001";
const empty: ClusterFacts = { clusterUid, namespace: undefined };

type Texts = Readonly<Record<string, string>>;

function settingsOf(stack: string, config: Texts = {}, env: Texts = {}): Settings {
  return settingsFrom({
    config,
    env: { SANDBOX_INGRESS_PORT: "8080", SANDBOX_REGISTRY: "localhost:5000", ...env },
    git: { branch: "main", commit: "0123456789".repeat(4) },
    stack,
  });
}

describe("the program", () => {
  const home = process.cwd();
  let files: Repository;
  beforeEach(() => {
    // Removes the developer's variable KUBECONFIG, because the Kubernetes provider would use the
    // variable's value as an input.
    Reflect.deleteProperty(process.env, "KUBECONFIG");
    // The program expects that its working directory is the root of the repository.
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

  async function run(settings: Settings, facts = empty, last?: LastRelease): Promise<Run> {
    const recorder = await record(settings.stack);
    const outputs = await program({
      readCluster: () => Promise.resolve(facts),
      readLastRelease: () => Promise.resolve(last),
      readSettings: () => Promise.resolve(settings),
    });
    const values = await Promise.all(
      Object.entries(outputs).map(async ([key, value]) => [key, await valueOf(value as string)]),
    );
    await settled();
    return { outputs: Object.fromEntries(values) as Run["outputs"], recorder };
  }

  const guardrails = [
    "kubernetes:core/v1:LimitRange namespace",
    "kubernetes:core/v1:ResourceQuota namespace",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy namespace-database-from-service",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy namespace-default-deny",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy namespace-ingress-to-web",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy namespace-service-to-database",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy namespace-service-to-datadog",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy namespace-service-to-dns",
  ];
  const ownDatabase = [
    "kubernetes:apps/v1:StatefulSet postgres",
    "kubernetes:core/v1:Secret postgres",
    "kubernetes:core/v1:Service postgres",
  ];
  const budget = "kubernetes:policy/v1:PodDisruptionBudget services-orders";
  const image = "docker-build:index:Image image";
  const rights = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding namespace";
  const environment = [
    "kubernetes:apps/v1:Deployment services-orders",
    "kubernetes:batch/v1:CronJob expire-unpaid",
    "kubernetes:batch/v1:CronJob export",
    "kubernetes:core/v1:Namespace namespace",
    "kubernetes:core/v1:PodTemplate services-orders",
    "kubernetes:core/v1:Service services-orders",
    "kubernetes:core/v1:ServiceAccount services-orders",
    "kubernetes:networking.k8s.io/v1:Ingress services-orders",
    "pulumi:providers:kubernetes kubernetes",
  ];

  /** Returns the settings of a stack without EKS: the values below, and the defaults. */
  const own = (stack: string) => {
    const database = { "services-orders:databaseHost": "db.example.com" };
    const config = { "services-orders:branch": "x", ...(stack === "review-x" ? {} : database) };
    const domain = stack === "local" ? "localhost" : "example.com";
    return settingsOf(stack, config, { SANDBOX_DOMAIN: domain, SANDBOX_EKS_CLUSTER: "none" });
  };
  const promoted: LastRelease = {
    branch: "main",
    commit: "fedcba9876".repeat(4),
    imageRef: `localhost:5000/services-orders@${digest}`,
    reason: undefined,
    replicas: 4,
  };
  const production: ClusterFacts = {
    clusterUid,
    namespace: { labels: labels(own("prod").identity, "namespace"), terminating: false },
  };
  const stacks: Readonly<Record<string, readonly string[]>> = {
    local: [...environment, ...guardrails, ...ownDatabase, budget, image],
    prod: [...environment, budget],
    "prod-canary": [
      "kubernetes:apps/v1:Deployment services-orders-canary",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy services-orders-canary",
      "pulumi:providers:kubernetes kubernetes",
    ],
    "review-x": [
      ...[...environment, ...guardrails, ...ownDatabase, image],
      ...[rights, `${rights}-developers`],
    ],
    staging: [...environment, budget, image],
  };
  for (const [stack, expected] of Object.entries(stacks)) {
    it(`as ${stack} owns exactly its resources`, async () => {
      const facts = stack === "prod-canary" ? production : empty;
      const { recorder } = await run(own(stack), facts, promoted);
      const made = recorder.custom().map(({ name, type }) => `${type} ${name}`);
      assert.deepEqual(made.sort(), [...expected].sort());
    });
  }

  it("keeps every rule of the policy pack, as each environment", async () => {
    const known = ["localhost:5000", "docker.io/library/postgres"];
    for (const stack of Object.keys(stacks)) {
      const facts = stack === "prod-canary" ? production : empty;
      const { recorder } = await run(own(stack), facts, promoted);
      assert.deepEqual(said(recorder, stack, rules(known)), [], stack);
    }
  });

  it("waits for the Ingress's address, except where an ingress controller is optional", async () => {
    const skipped = async (env: Texts): Promise<unknown> => {
      const { recorder } = await run(settingsOf("local", {}, env));
      const ingress = recorder.one("kubernetes:networking.k8s.io/v1:Ingress");
      return (ingress.inputs.metadata.annotations as Texts | undefined)?.["pulumi.com/skipAwait"];
    };
    assert.equal(await skipped({}), undefined);
    assert.equal(await skipped({ SANDBOX_WAIT_FOR_INGRESS: "false" }), "true");
  });

  it("protects production's Namespace, Deployment, Service and Ingress, and nothing else anywhere", async () => {
    const isProtected: Record<string, readonly string[]> = {};
    for (const stack of Object.keys(stacks)) {
      const facts = stack === "prod-canary" ? production : empty;
      const { recorder } = await run(own(stack), facts, promoted);
      isProtected[stack] = recorder.resources
        .filter((resource) => resource.protect)
        .map(({ type }) => type.split(":").at(-1) ?? "")
        .sort();
    }
    assert.deepEqual(isProtected, {
      local: [],
      prod: ["Deployment", "Ingress", "Namespace", "Service"],
      "prod-canary": [],
      "review-x": [],
      staging: [],
    });
  });

  it("as prod and as canary keeps the release that its last outputs name", async () => {
    for (const stack of ["prod", "prod-canary"]) {
      const { outputs } = await run(own(stack), production, promoted);
      assert.equal(outputs["imageRef"], promoted.imageRef);
      assert.equal(outputs["commit"], promoted.commit);
      assert.equal(outputs["branch"], "main");
    }
  });

  it("changes jobs and the template of commands after the rollout of the service, and does not wait for its Ingress", async () => {
    for (const stack of ["local", "prod", "staging", "review-x"]) {
      const { recorder } = await run(own(stack), empty, promoted);
      const types = ["services:k8s:CommandTemplate", "services:k8s:ScheduledJob"];
      const created = types.flatMap((type) => recorder.all(type));
      assert.equal(created.length, jobs.length + 1, stack);
      for (const { dependencies, name } of created) {
        const types = dependencies.map((urn) => urn.split("::")[2]?.split("$").at(-1));
        assert.ok(types.includes("kubernetes:apps/v1:Deployment"), `${stack} ${name}`);
        assert.ok(!types.includes("kubernetes:networking.k8s.io/v1:Ingress"), `${stack} ${name}`);
      }
    }
  });

  it("names an image in its outputs only when the Deployment's pods are ready", async () => {
    for (const stack of ["prod", "prod-canary", "review-x"]) {
      await record(stack);
      const { imageRef } = await program({
        readCluster: () => Promise.resolve(stack === "prod-canary" ? production : empty),
        readLastRelease: () => Promise.resolve(promoted),
        readSettings: () => Promise.resolve(own(stack)),
      });
      // The SDK uses this method to find the resources that an output depends on.
      const sdk = imageRef as unknown as { allResources(): Promise<Set<{ __pulumiType: string }>> };
      const types = [...(await sdk.allResources())].map((resource) => resource.__pulumiType);
      assert.ok(types.includes("kubernetes:apps/v1:Deployment"), stack);
      await settled();
    }
  });

  it("as prod runs an image other than the promoted one when it is told to, and says why", async () => {
    const settings = settingsOf(
      "prod",
      { "services-orders:databaseHost": "db.example.com" },
      {
        RELEASE_COMMIT: "0".repeat(40),
        RELEASE_IMAGE_REF: `other/services-orders@${digest}`,
        RELEASE_REASON: "the promoted one loses orders",
        SANDBOX_DOMAIN: "example.com",
      },
    );
    const { outputs } = await run(settings, production, promoted);
    assert.equal(outputs["imageRef"], `other/services-orders@${digest}`);
    assert.equal(outputs["commit"], "0".repeat(40));
    assert.equal(outputs["releaseReason"], "the promoted one loses orders");
  });

  it("as canary runs next to production's pods, and runs no migration", async () => {
    const { recorder } = await run(own("prod-canary"), production, promoted);
    const { inputs } = recorder.one("kubernetes:apps/v1:Deployment");
    assert.equal(inputs.metadata.namespace, "services-orders");
    assert.equal(inputs.spec.replicas, 4);
    assert.equal(inputs.spec.selector.matchLabels.track, "canary");
    assert.equal(inputs.spec.template.spec.serviceAccountName, "services-orders");
    assert.equal(inputs.spec.template.spec.initContainers, undefined);
    const prod = await run(own("prod"), production, promoted);
    const selected = prod.recorder.one("kubernetes:core/v1:Service").inputs.spec.selector;
    for (const [label, value] of Object.entries(selected)) {
      assert.equal(inputs.spec.template.metadata.labels[label], value, label);
    }
  });

  it("as canary connects with a database user for canaries, if there is one, at the addresses that are set", async () => {
    const database = { "services-orders:databaseHost": "db.example.com" };
    const secretOf = async (config: Texts): Promise<unknown> => {
      const settings = settingsOf(
        "prod-canary",
        { ...database, ...config },
        { SANDBOX_DOMAIN: "example.com", SANDBOX_EKS_CLUSTER: "none" },
      );
      const { recorder } = await run(settings, production, promoted);
      const { volumes } = recorder.one("kubernetes:apps/v1:Deployment").inputs.spec.template.spec;
      const found = volumes as readonly { name: string; secret?: { secretName: string } }[];
      return found.find(({ name }) => name === "database")?.secret?.secretName;
    };
    assert.equal(await secretOf({}), "services-orders-database");
    const one = { "services-orders:databaseSecretName": "production" };
    assert.equal(await secretOf(one), "production");
    const own = { ...one, "services-orders:canaryDatabaseSecretName": "canary" };
    assert.equal(await secretOf(own), "canary");
    const cidr = "10.0.32.0/20";
    const to = { "services-orders:databaseTo": JSON.stringify([{ ipBlock: { cidr } }]) };
    const { recorder } = await run(
      settingsOf("prod-canary", { ...database, ...to }, { SANDBOX_DOMAIN: "example.com" }),
      production,
      promoted,
    );
    const { spec } = recorder.one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs;
    assert.deepEqual(spec.egress[0], {
      ports: [{ port: 5432, protocol: "TCP" }],
      to: [{ ipBlock: { cidr } }],
    });
  });

  for (const [stack, facts, message] of [
    ["prod", production, /^Stack "prod" runs no image yet: choose one with "npm run promote"/],
    [
      "prod-canary",
      production,
      /^Stack "prod-canary" runs no image yet: choose one with "npm run canary/,
    ],
  ] as const) {
    it(`as ${stack} refuses to guess an image, before anything is made`, async () => {
      const recorder = await record(stack);
      await assert.rejects(
        program({
          readCluster: () => Promise.resolve(facts),
          readLastRelease: () => Promise.resolve(undefined),
          readSettings: () => Promise.resolve(own(stack)),
        }),
        { message },
      );
      await settled();
      assert.equal(recorder.resources.length, 0);
    });
  }

  it("as canary refuses to stand alone", async () => {
    await assert.rejects(run(own("prod-canary"), empty, promoted), {
      message: /^Namespace "services-orders" does not exist: a canary needs production/,
    });
  });

  it("starts the JVM of its pods quickly only as local and as review", async () => {
    const imageRef = `localhost:5000/services-orders@${digest}`;
    const quick: string[] = [];
    for (const stack of ["local", "review-x", "staging", "prod"]) {
      const { recorder } = await run({ ...own(stack), imageRef });
      const pods = recorder.one("kubernetes:apps/v1:Deployment").inputs.spec.template.spec;
      const text = JSON.stringify(pods.containers);
      if (text.includes("-XX:TieredStopAtLevel=1")) quick.push(stack);
    }
    assert.deepEqual(quick, ["local", "review-x"]);
    const { recorder } = await run({ ...own("local"), quickStart: false });
    const pods = recorder.one("kubernetes:apps/v1:Deployment").inputs.spec.template.spec;
    assert.ok(!JSON.stringify(pods.containers).includes("TieredStopAtLevel"));
  });

  it("replaces its pods quickly only as local and as review", async () => {
    const imageRef = `localhost:5000/services-orders@${digest}`;
    /** Returns seconds until a pod is available, until SIGTERM, and until SIGKILL. */
    const secondsOf = async (settings: Settings): Promise<readonly number[]> => {
      const { recorder } = await run({ ...settings, imageRef });
      const { minReadySeconds, template } = recorder.one("kubernetes:apps/v1:Deployment").inputs
        .spec;
      const { containers, terminationGracePeriodSeconds } = template.spec;
      const { preStop } = containers[0].lifecycle;
      return [minReadySeconds, preStop.sleep.seconds, terminationGracePeriodSeconds];
    };
    const usual = [10, 15, 60];
    const quick = [2, 5, 30];
    assert.deepEqual(await secondsOf(own("local")), quick);
    assert.deepEqual(await secondsOf(own("review-x")), quick);
    assert.deepEqual(await secondsOf(own("staging")), usual);
    assert.deepEqual(await secondsOf(own("prod")), usual);
    assert.deepEqual(await secondsOf({ ...own("local"), quickRollout: false }), usual);
  });

  it("lets only the exports write to the bucket of the settings, with the role of the settings", async () => {
    const imageRef = `localhost:5000/services-orders@${digest}`;
    const exportOutput = "s3://example-orders-exports/staging";
    const exportRoleArn = "arn:aws:iam::123456789012:role/services-orders-export-staging";
    const { recorder } = await run({ ...own("staging"), exportOutput, exportRoleArn, imageRef });
    const podOf = (job: string) =>
      recorder.one("kubernetes:batch/v1:CronJob", job).inputs.spec.jobTemplate.spec.template.spec;
    assert.deepEqual(podOf("export").containers[0].args.slice(-2), ["--output", exportOutput]);
    const account = recorder.one("kubernetes:core/v1:ServiceAccount", "export");
    assert.equal(account.inputs.metadata.annotations["eks.amazonaws.com/role-arn"], exportRoleArn);
    assert.equal(podOf("export").serviceAccountName, "export");
    assert.deepEqual(podOf("expire-unpaid").containers[0].args, [
      "expire-unpaid",
      "--older-than",
      "48h",
    ]);
    assert.equal(podOf("expire-unpaid").serviceAccountName, "services-orders");
  });

  it("as review seeds the database that it makes, and closes its namespace to all but the ingress", async () => {
    const { recorder } = await run(own("review-x"));
    const pods = recorder.one("kubernetes:apps/v1:Deployment").inputs.spec.template.spec;
    assert.deepEqual(
      pods.initContainers.map(({ name }: { name: string }) => name),
      ["migrate", "seed"],
    );
    const { inputs } = recorder.one("kubernetes:core/v1:ResourceQuota");
    assert.equal(inputs.spec.hard["services.loadbalancers"], "0");
    const open = recorder.one(
      "kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "namespace-ingress-to-web",
    );
    // The load balancer sends requests to port 8080, and health checks to port 8081.
    assert.deepEqual(open.inputs.spec.ingress, [
      {
        from: [{ ipBlock: { cidr: "10.20.0.0/20" } }],
        ports: [8080, 8081].map((port) => ({ port, protocol: "TCP" })),
      },
    ]);
  });

  it("as review refuses more replicas than its quota has room for, before anything is made", async () => {
    const settings = { ...own("review-x"), databaseConnections: undefined, replicas: 9 };
    const recorder = await record("review-x");
    await assert.rejects(
      program({
        readCluster: () => Promise.resolve(empty),
        readSettings: () => Promise.resolve(settings),
      }),
      {
        message:
          /^ReviewNamespace "namespace": quota must have room for 17 pods, 4070m CPU and 8416Mi memory \(15 services-orders, 1 postgres, 1 command run by hand\), got .*; lower replicas/,
      },
    );
    await settled();
    assert.deepEqual(
      recorder.custom().map(({ type }) => type),
      ["pulumi:providers:kubernetes"],
    );
  });

  it("as local and as review has room for up to four replicas in the quota that it has by default", async () => {
    for (const stack of ["local", "review-x"]) {
      await run({ ...own(stack), replicas: 4 });
      const more = { ...own(stack), replicas: 5 };
      await assert.rejects(run({ ...more, databaseConnections: undefined }), {
        message: /quota must have room/,
      });
      await settled();
      // Five replicas need a larger quota. In addition, five replicas need more database
      // connections than PostgreSQL allows by default. The program reports the database connections
      // in a separate error.
      await assert.rejects(run(more), { message: /^The database allows 97 connections/ });
      await settled();
    }
  });

  it("as review counts the pods and the requests of a job that runs there", async () => {
    const large: Job = {
      args: ["export", "--continue", "nightly", "--format", "csv"],
      name: "large",
      parallelism: 3,
      requests: { cpu: "1", memory: "1Gi" },
      schedule: "0 * * * *",
      suspend: false,
    };
    (jobs as Job[]).push(large);
    try {
      await assert.rejects(run(own("review-x")), {
        message:
          /must have room for 7 pods, 3820m CPU .*\(2 services-orders, 1 postgres, 3 large, 1 command run by hand\)/,
      });
      await settled();
    } finally {
      (jobs as Job[]).pop();
    }
  });

  it("gives a job the values of its environment, and merges only its variables", async () => {
    const nightly: Job = {
      args: ["export", "--continue", "nightly", "--format", "csv"],
      env: { DATABASE_POOL_SIZE: "2", LOG_LEVEL: "warn" },
      environments: {
        prod: { requests: { cpu: "1", memory: "1Gi" }, suspend: true },
        review: { suspend: false },
        staging: {
          args: ["expire-unpaid", "--older-than", "90m"],
          env: { LOG_LEVEL: "debug", TOKEN: { key: "token", secretName: "partner" } },
          iamRoleArn: "arn:aws:iam::123456789012:role/nightly",
          labels: { team: "b" },
          schedule: "0 5 * * *",
        },
      },
      labels: { cost: "1", team: "a" },
      name: "nightly",
      schedule: "30 3 * * *",
    };
    const jobIn = async (stack: string) => {
      const { recorder } = await run(own(stack), empty, promoted);
      const { metadata, spec } = recorder.one("kubernetes:batch/v1:CronJob", "nightly").inputs;
      const pod = spec.jobTemplate.spec.template.spec;
      const { args, env, resources } = pod.containers[0];
      const names = ["DATABASE_POOL_SIZE", "LOG_LEVEL", "TOKEN"];
      const variables = env
        .filter(({ name }: { name: string }) => names.includes(name))
        .map(({ name, value, valueFrom }: { name: string; value?: string; valueFrom?: unknown }) =>
          valueFrom === undefined ? `${name}=${value ?? ""}` : name,
        )
        .sort();
      return {
        args: args.join(" "),
        labels: [metadata.labels.cost, metadata.labels.team],
        memory: resources.requests.memory,
        runs: spec.suspend ? "never" : spec.schedule,
        serviceAccountName: pod.serviceAccountName,
        variables,
      };
    };
    const plain = {
      args: "export --continue nightly --format csv",
      labels: ["1", "a"],
      memory: own("local").requests.memory,
      runs: "never",
      serviceAccountName: "services-orders",
      variables: ["DATABASE_POOL_SIZE=2", "LOG_LEVEL=warn"],
    };
    (jobs as Job[]).push(nightly);
    try {
      assert.deepEqual(await jobIn("local"), plain);
      assert.deepEqual(await jobIn("review-x"), { ...plain, runs: "30 3 * * *" });
      assert.deepEqual(await jobIn("prod"), { ...plain, memory: "1Gi" });
      assert.deepEqual(await jobIn("staging"), {
        ...plain,
        args: "expire-unpaid --older-than 90m",
        labels: [undefined, "b"],
        runs: "0 5 * * *",
        serviceAccountName: "nightly",
        variables: ["DATABASE_POOL_SIZE=2", "LOG_LEVEL=debug", "TOKEN"],
      });
    } finally {
      (jobs as Job[]).pop();
    }
  });

  it("refuses a wrong duration and an unknown environment of a job, before anything is made", async () => {
    const [first] = jobs;
    assert.ok(first !== undefined);
    // A preview does not check TypeScript types.
    const wrong = {
      ...first,
      args: ["expire-unpaid", "--older-than", "-1h"],
      environments: {
        prod: { args: ["expire-unpaid", "--older-than"] },
        stagin: { suspend: true },
      },
      name: "wrong",
    } as unknown as Job;
    (jobs as Job[]).push(wrong);
    const rule =
      "--older-than must be a whole number of at most 5 digits and one of s, m, h or d, got";
    try {
      const recorder = await record("local");
      await assert.rejects(
        program({
          readCluster: () => Promise.resolve(empty),
          readSettings: () => Promise.resolve(own("local")),
        }),
        {
          message: [
            'jobs.ts: job "wrong": environments must not have "stagin"; use local, review, staging, prod.',
            `jobs.ts: job "wrong": ${rule} "-1h"; write a duration such as 48h.`,
            `jobs.ts: job "wrong", environment "prod": ${rule} no value; write a duration such as 48h.`,
          ].join("\n"),
        },
      );
      await settled();
      assert.equal(recorder.resources.length, 0);
    } finally {
      (jobs as Job[]).pop();
    }
  });

  for (const [names, message] of [
    [["export"], 'jobs.ts: "export" must be the name of only one job; choose another name.'],
    [
      ["services-orders", "default"],
      [
        'jobs.ts: "services-orders" must not be the name of a job: a ServiceAccount has that name; choose another name.',
        'jobs.ts: "default" must not be the name of a job: a ServiceAccount has that name; choose another name.',
      ].join("\n"),
    ],
  ] as const) {
    it(`refuses one more job called ${names.join(" or ")}, before anything is made`, async () => {
      const [first] = jobs;
      assert.ok(first !== undefined);
      (jobs as Job[]).push(...names.map((name) => ({ ...first, name })));
      try {
        for (const stack of Object.keys(stacks)) {
          const recorder = await record(stack);
          await assert.rejects(
            program({
              readCluster: () => Promise.resolve(stack === "prod-canary" ? production : empty),
              readLastRelease: () => Promise.resolve(promoted),
              readSettings: () => Promise.resolve(own(stack)),
            }),
            { message },
          );
          await settled();
          assert.equal(recorder.resources.length, 0, stack);
        }
      } finally {
        (jobs as Job[]).splice(-names.length);
      }
    });
  }

  it("as local tells where the service is and what it runs", async () => {
    const { outputs } = await run(settingsOf("local"));
    assert.deepEqual(outputs, {
      branch: "main",
      clusterUid,
      commit: "0123456789".repeat(4),
      imageRef: `localhost:5000/services-orders@${builtDigest}`,
      namespace: "services-orders-local",
      replicas: 2,
      url: "http://services-orders.localhost:8080/",
    });
  });

  it("puts everything into the stack's own namespace, with the one explicit provider", async () => {
    const { recorder } = await run(settingsOf("local"));
    const kubernetes = recorder.custom().filter(({ type }) => type.startsWith("kubernetes:"));
    assert.equal(kubernetes.length, 20);
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

  it("registers nothing when the namespace belongs to someone else", async () => {
    const facts = { clusterUid, namespace: { labels: {}, terminating: false } };
    const recorder = await record("local");
    const settings = settingsOf("local");
    await assert.rejects(
      program({
        readCluster: () => Promise.resolve(facts),
        readSettings: () => Promise.resolve(settings),
      }),
      { message: /^Namespace "services-orders-local" exists and does not belong to this stack/ },
    );
    await settled();
    assert.equal(recorder.resources.length, 0);
  });
});
