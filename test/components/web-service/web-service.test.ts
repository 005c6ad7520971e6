import assert from "node:assert/strict";
import { ResourceError } from "@pulumi/pulumi";
import { pod, reviewNamespace } from "../../../components/conventions/defaults";
import { memoryBytes } from "../../../components/conventions/quantities";
import { WebService, type WebServiceArgs } from "../../../components/web-service/web-service";
import { database, everyPodArg, identity, imageRef, web } from "../../support/fixtures";
import { matchesGolden } from "../../support/golden";
import { type Manifest, type Recorder, record, settled } from "../../support/mocks";

const types = {
  autoscaler: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
  budget: "kubernetes:policy/v1:PodDisruptionBudget",
  deployment: "kubernetes:apps/v1:Deployment",
  ingress: "kubernetes:networking.k8s.io/v1:Ingress",
  service: "kubernetes:core/v1:Service",
  serviceAccount: "kubernetes:core/v1:ServiceAccount",
};

async function made(args: Partial<WebServiceArgs> = {}): Promise<Recorder> {
  const recorder = await record();
  new WebService("orders", { ...web, ...args });
  await settled();
  return recorder;
}

const deploymentOf = async (args: Partial<WebServiceArgs> = {}): Promise<Manifest> =>
  (await made(args)).one(types.deployment).inputs;
const podOf = async (args: Partial<WebServiceArgs> = {}): Promise<Manifest> =>
  (await deploymentOf(args)).spec.template.spec;
const containerOf = async (args: Partial<WebServiceArgs> = {}): Promise<Manifest> =>
  (await podOf(args)).containers[0];
const envOf = async (args: Partial<WebServiceArgs> = {}): Promise<Record<string, unknown>> => {
  const { env } = await containerOf(args);
  return Object.fromEntries(env.map((v: Manifest) => [v.name, v.value ?? v.valueFrom]));
};

const webSelector = {
  "app.kubernetes.io/component": "web",
  "app.kubernetes.io/instance": "services-orders-x",
  "app.kubernetes.io/name": "services-orders",
};

describe("WebService", () => {
  it("matches its golden manifest", async () => {
    const args = { database, host: "orders.example.com", replicas: 3, tls: true };
    matchesGolden("web-service", await made(args));
  });

  it("matches its golden manifest with everything set", async () => {
    const args: Partial<WebServiceArgs> = {
      ...everyPodArg,
      autoscaling: { cpuUtilization: 60, maxReplicas: 9, memoryUtilization: 80, minReplicas: 3 },
      database,
      debugPort: 5005,
      deregistrationDelaySeconds: 45,
      host: "orders.example.com",
      hosts: [{ host: "api.example.com", paths: [{ path: "/orders" }] }],
      ingressAnnotations: { "example.com/ingress": "1" },
      ingressGroupName: "orders",
      ingressPreset: "eks-alb",
      ingressScheme: "internet-facing",
      livenessProbe: { failureThreshold: 10 },
      longMigration: { activeDeadlineSeconds: 28_800, version: "12" },
      maxSurge: 1,
      minReadySeconds: 20,
      ports: [{ name: "metrics", port: 9090, servicePort: 9090 }],
      revisionHistoryLimit: 3,
      tls: true,
      tlsSecretName: "certificate",
    };
    matchesGolden("web-service-everything", await made(args));
  });

  describe("with a long migration", () => {
    const job = "kubernetes:batch/v1:Job";
    const longMigration = { version: "12" };
    const jobOf = async (args: Partial<WebServiceArgs> = {}) =>
      (await made({ database, longMigration, ...args })).one(job);

    it("runs it in a Job that stops at its version, with a limit for its time and its retries", async () => {
      const { inputs, name } = await jobOf();
      const { activeDeadlineSeconds, backoffLimit, template } = inputs.spec;
      assert.deepEqual(
        [name, template.spec.containers[0].args, activeDeadlineSeconds, backoffLimit],
        ["orders-migrate-v12", ["migrate", "--to", "12"], 14_400, 2],
      );
    });

    it("has pods that the policies select, and that the Service does not select", async () => {
      const { inputs } = await jobOf();
      const { labels } = inputs.spec.template.metadata;
      assert.equal(labels["app.kubernetes.io/component"], "job");
    });

    it("makes the Deployment wait for the Job", async () => {
      const recorder = await made({ database, longMigration });
      const { dependencies } = recorder.one(types.deployment);
      assert.ok(dependencies.some((urn) => urn.endsWith("::orders-migrate-v12")));
    });

    it("leaves the Job alone in later releases, and replaces a Job that has failed", async () => {
      assert.deepEqual((await jobOf()).ignoreChanges, ["spec"]);
      const again = await jobOf({ longMigration: { ...longMigration, retryOf: "u1" } });
      assert.deepEqual(again.ignoreChanges, []);
      assert.equal(again.inputs.spec.template.metadata.annotations["migration/retry-of"], "u1");
    });

    it("lets Pulumi's provider wait for the Job, and replace it after a failure, without waitForMigration", async () => {
      const { customTimeouts, inputs } = await jobOf();
      assert.equal(customTimeouts["create"], "14460s");
      assert.equal(inputs.metadata.annotations["pulumi.com/replaceUnready"], "true");
    });
  });

  describe("makes", () => {
    it("Deployment, Service and ServiceAccount, all children of the component", async () => {
      const recorder = await made();
      assert.deepEqual(
        recorder.list(),
        [
          `${types.deployment} orders`,
          `${types.service} orders`,
          `${types.serviceAccount} orders`,
          "services:k8s:WebService orders",
        ].sort(),
      );
      for (const { parentage, type } of recorder.custom()) {
        assert.equal(parentage, `services:k8s:WebService$${type}`);
      }
    });

    it("an Ingress only with a host, and a PodDisruptionBudget only with several replicas", async () => {
      const recorder = await made({ host: "orders.example.com", replicas: 2 });
      assert.equal(recorder.custom().length, 5);
      assert.equal((await made({ replicas: 1 })).all(types.budget).length, 0);
      assert.equal((await made()).all(types.ingress).length, 0);
    });

    it("the component's name the name of every object", async () => {
      const recorder = await made({ host: "orders.example.com", replicas: 2 });
      for (const { inputs } of recorder.custom()) {
        assert.equal(inputs.metadata.name, "orders");
        assert.equal(inputs.metadata.namespace, "ns");
      }
    });
  });

  describe("selectors", () => {
    it("select by name, instance and component in the Service, so that a canary's pods are endpoints", async () => {
      const recorder = await made();
      assert.deepEqual(recorder.one(types.service).inputs.spec.selector, webSelector);
    });

    it("add the track, and nothing else, for what belongs to one Deployment", async () => {
      const recorder = await made({ replicas: 2, track: "canary" });
      const expected = { ...webSelector, track: "canary" };
      const { spec } = recorder.one(types.deployment).inputs;
      const pod = spec.template.spec;
      const term = pod.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0];
      assert.deepEqual(spec.selector.matchLabels, expected);
      assert.deepEqual(recorder.one(types.budget).inputs.spec.selector.matchLabels, expected);
      assert.deepEqual(pod.topologySpreadConstraints[0].labelSelector.matchLabels, expected);
      assert.deepEqual(term.podAffinityTerm.labelSelector.matchLabels, expected);
    });

    it("match the labels of the Deployment's own pods", async () => {
      const recorder = await made();
      const { spec } = recorder.one(types.deployment).inputs;
      const podLabels = spec.template.metadata.labels;
      for (const [key, value] of Object.entries(spec.selector.matchLabels)) {
        assert.equal(podLabels[key], value);
      }
    });
  });

  it("changes nothing but the Deployment when only the release changes", async () => {
    const args = { host: "orders.example.com", replicas: 2 };
    const before = await made(args);
    const after = await made({ ...args, release: { branch: "other", commit: "f".repeat(40) } });
    for (const { inputs, type } of before.custom()) {
      const other = after.one(type).inputs;
      if (type === types.deployment) assert.notDeepEqual(other, inputs);
      else assert.deepEqual(other, inputs, type);
    }
  });

  it("changes neither pods nor selector when only the number of replicas changes", async () => {
    const two = await deploymentOf({ replicas: 2 });
    const nine = await deploymentOf({ replicas: 9 });
    assert.deepEqual(nine.spec.template, two.spec.template);
    assert.deepEqual(nine.spec.selector, two.spec.selector);
    assert.equal(nine.spec.replicas, 9);
  });

  describe("rolls out without a failed request:", () => {
    it("never takes a pod away before another one is ready", async () => {
      const { spec } = await deploymentOf();
      assert.deepEqual(spec.strategy, {
        rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 },
        type: "RollingUpdate",
      });
      assert.equal(spec.minReadySeconds, 10);
    });

    it("keeps a pod serving for 15 s after it stopped being an endpoint, without a shell", async () => {
      assert.deepEqual((await containerOf()).lifecycle, { preStop: { sleep: { seconds: 15 } } });
    });

    it("gives a pod time for preStop, drain and a margin before it is killed", async () => {
      assert.equal((await podOf()).terminationGracePeriodSeconds, 60);
      assert.equal((await envOf())["DRAIN_SECONDS"], "30");
    });

    it("asks for readiness elsewhere than for liveness, and starts up by the latter", async () => {
      const { livenessProbe, readinessProbe, startupProbe } = await containerOf();
      assert.deepEqual(readinessProbe.httpGet, { path: "/health/ready", port: "management" });
      assert.deepEqual(livenessProbe.httpGet, { path: "/health/live", port: "management" });
      assert.deepEqual(startupProbe.httpGet, { path: "/health/live", port: "management" });
      assert.notDeepEqual(livenessProbe, startupProbe);
      const { failureThreshold, periodSeconds } = livenessProbe;
      const readiness = readinessProbe.failureThreshold * readinessProbe.periodSeconds;
      assert.ok(failureThreshold * periodSeconds > readiness, "traffic stops before a restart");
    });

    it("lets a node be drained one pod at a time, also when pods are unready", async () => {
      const { spec } = (await made({ replicas: 2 })).one(types.budget).inputs;
      assert.equal(spec.maxUnavailable, 1);
      assert.equal(spec.unhealthyPodEvictionPolicy, "AlwaysAllow");
    });

    it("sends the Service's port to the container's by name", async () => {
      const { ports, type } = (await made()).one(types.service).inputs.spec;
      assert.deepEqual(ports, [{ name: "http", port: 80, protocol: "TCP", targetPort: "http" }]);
      assert.equal(type, "ClusterIP");
      const container = await containerOf({ port: 9000 });
      assert.deepEqual(container.ports, [
        { containerPort: 9000, name: "http", protocol: "TCP" },
        { containerPort: 8081, name: "management", protocol: "TCP" },
      ]);
    });

    it("keeps health and metrics on a port that neither the Service nor the Ingress has", async () => {
      const recorder = await made({ host: "a.example.com", managementPort: 9001 });
      assert.equal((await envOf({ managementPort: 9001 }))["MANAGEMENT_PORT"], "9001");
      const { ports } = recorder.one(types.service).inputs.spec;
      assert.deepEqual(ports, [{ name: "http", port: 80, protocol: "TCP", targetPort: "http" }]);
      const [{ http }] = recorder.one(types.ingress).inputs.spec.rules;
      assert.deepEqual(http.paths[0].backend.service.port, { name: "http" });
    });

    it("asks for health at the port that serves requests if a service has one port", async () => {
      const one = {
        host: "a.example.com",
        ingressPreset: "eks-alb",
        managementPort: 8080,
      } as const;
      const { env, livenessProbe, ports, readinessProbe, startupProbe } = await containerOf(one);
      assert.deepEqual(ports, [{ containerPort: 8080, name: "http", protocol: "TCP" }]);
      for (const { httpGet } of [livenessProbe, readinessProbe, startupProbe]) {
        assert.equal(httpGet.port, "http");
      }
      assert.ok(env.every(({ name }: Manifest) => name !== "MANAGEMENT_PORT"));
      const { annotations } = (await made(one)).one(types.ingress).inputs.metadata;
      assert.ok(!("alb.ingress.kubernetes.io/healthcheck-port" in annotations));
    });
  });

  it("waits a minute longer than Kubernetes does", async () => {
    const { customTimeouts, inputs } = (await made()).one(types.deployment);
    assert.equal(inputs.spec.progressDeadlineSeconds, 300);
    assert.equal(customTimeouts["create"], "360s");
    assert.equal(customTimeouts["update"], "360s");
  });

  it("does not make an update wait for pods that are not its own", async () => {
    const { annotations } = (await made()).one(types.service).inputs.metadata;
    assert.deepEqual(annotations, { "pulumi.com/skipAwait": "true" });
  });

  it("is admitted under Pod Security restricted", async () => {
    const pod = await podOf({ database });
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.equal(pod.securityContext.runAsUser, 10001);
    assert.deepEqual(pod.securityContext.seccompProfile, { type: "RuntimeDefault" });
    assert.equal(pod.automountServiceAccountToken, false);
    for (const { securityContext } of [...pod.containers, ...pod.initContainers]) {
      assert.deepEqual(securityContext, {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
      });
    }
  });

  it("writes to a sized /tmp, and to a volume for dumps of twice the heap", async () => {
    const { containers, volumes } = await podOf();
    assert.deepEqual(volumes, [
      { emptyDir: { sizeLimit: "64Mi" }, name: "tmp" },
      // The size is twice 60 % of 512 MiB, plus 32 MiB for the classes, rounded up.
      { emptyDir: { sizeLimit: "647Mi" }, name: "diagnostics" },
    ]);
    assert.deepEqual(containers[0].volumeMounts, [
      { mountPath: "/tmp", name: "tmp" },
      { mountPath: "/diagnostics", name: "diagnostics" },
    ]);
    const env = await envOf();
    assert.equal(env["DIAGNOSTICS_DIRECTORY"], "/diagnostics");
    assert.equal(env["DIAGNOSTICS_VOLUME_BYTES"], String(647 * 2 ** 20));
    assert.equal((await envOf({ memoryLimit: "1Gi" }))["DIAGNOSTICS_VOLUME_BYTES"], "1322254336");
  });

  it("leaves room for a dump in a review stack, next to all other files of the pod", () => {
    const mebibytes = (size: string) => (memoryBytes(size) ?? 0) / 2 ** 20;
    const { datadogAgentSizeLimit, tmpSizeLimit } = pod;
    const logs = 5 * 10;
    const others = logs + mebibytes(tmpSizeLimit) + mebibytes(datadogAgentSizeLimit);
    // Space.java has the same number.
    assert.equal(others, 242);
    assert.ok(647 + others <= mebibytes(reviewNamespace.containerStorage.limit));
  });

  it("limits memory to what it requests, and CPU not at all", async () => {
    assert.deepEqual((await containerOf()).resources, {
      limits: { memory: "512Mi" },
      requests: { cpu: "250m", memory: "512Mi" },
    });
  });

  it("tells the JVM its share of memory and its processors", async () => {
    const of = async (cpu: string) =>
      (await envOf({ requests: { cpu, memory: "1Gi" } }))["JAVA_TOOL_OPTIONS"];
    assert.equal(await of("250m"), "-XX:MaxRAMPercentage=60 -XX:ActiveProcessorCount=2");
    assert.equal(await of("3500m"), "-XX:MaxRAMPercentage=60 -XX:ActiveProcessorCount=4");
  });

  it("starts the JVM of the migration and the seed quickly, and not its own", async () => {
    const { containers, initContainers } = await podOf({
      database,
      javaOptions: ["-XX:TieredStopAtLevel=3"],
      seedArgs: ["seed"],
    });
    const flags = ({ env }: Manifest): readonly string[] =>
      env
        .find(({ name }: Manifest) => name === "JAVA_TOOL_OPTIONS")
        .value.split(" ")
        .slice(2);
    const own = "-XX:TieredStopAtLevel=3";
    assert.deepEqual(flags(containers[0]), [own]);
    const quick = ["-XX:TieredStopAtLevel=1", own];
    assert.deepEqual(initContainers.map(flags), [quick, quick]);
  });

  it("tells Datadog and the service what runs", async () => {
    const env = await envOf({ host: "orders.example.com", publicPort: 8443, tls: true });
    assert.equal(env["APP_ENDPOINT"], "https://orders.example.com:8443/");
    assert.deepEqual(env["DD_AGENT_HOST"], { fieldRef: { fieldPath: "status.hostIP" } });
    assert.equal(env["DD_ENV"], "review");
    assert.equal(env["DD_SERVICE"], "services-orders");
    assert.equal(env["DD_VERSION"], "0123456");
    assert.equal(env["PORT"], "8080");
    assert.equal(env["MANAGEMENT_PORT"], "8081");
  });

  it("mounts the database's Secret as files, and never as variables", async () => {
    const args = { database };
    const env = await envOf(args);
    assert.equal(env["DATABASE_HOST"], "db.example");
    assert.equal(env["DATABASE_PORT"], "5432");
    assert.equal(env["DATABASE_NAME"], "orders");
    assert.equal(env["DATABASE_USERNAME_FILE"], "/etc/secrets/database/username");
    assert.equal(env["DATABASE_PASSWORD_FILE"], "/etc/secrets/database/password");
    assert.ok(!("DATABASE_PASSWORD" in env));
    const { secret } = (await podOf(args)).volumes[1];
    assert.equal(secret.secretName, "db-user");
    assert.equal(secret.defaultMode, 0o440);
  });

  it("migrates in an init container with the same image and database, and only with a database", async () => {
    const pod = await podOf({ database });
    const [migrate] = pod.initContainers;
    assert.deepEqual(migrate.args, ["migrate"]);
    assert.equal(migrate.image, imageRef);
    assert.ok(migrate.env.some((v: Manifest) => v.name === "DATABASE_HOST"));
    assert.equal(pod.initContainers.length, 1);
    assert.equal((await podOf()).initContainers, undefined);
    assert.equal((await podOf({ database, migrationArgs: [] })).initContainers, undefined);
  });

  it("fills the database in an init container after the migration, and only when told", async () => {
    const seedArgs = ["seed", "--count", "50", "--if-empty"];
    const pod = await podOf({ database, seedArgs });
    const [migrate, seed] = pod.initContainers;
    assert.deepEqual(
      pod.initContainers.map(({ name }: Manifest) => name),
      ["migrate", "seed"],
    );
    assert.deepEqual(seed, { ...migrate, args: seedArgs, name: "seed" });
    assert.equal((await podOf({ database })).initContainers.length, 1);
    const unmigrated = await podOf({ database, migrationArgs: [], seedArgs });
    assert.deepEqual(
      unmigrated.initContainers.map(({ name }: Manifest) => name),
      ["seed"],
    );
  });

  it("protects its Deployment, Service and Ingress when told, and never what goes with a pod", async () => {
    const all = { configFiles: { "/etc/a.json": "{}" }, host: "orders.example.com", replicas: 2 };
    const protectedTypes = (recorder: Recorder) =>
      recorder.resources
        .filter(({ protect }) => protect)
        .map(({ type }) => type)
        .sort();
    assert.deepEqual(
      protectedTypes(await made({ ...all, protect: true })),
      [types.deployment, types.ingress, types.service].sort(),
    );
    assert.deepEqual(protectedTypes(await made(all)), []);
  });

  it("leaves protection to its caller's options, unless the arg is given: then the arg decides", async () => {
    const protection = async (args: Partial<WebServiceArgs>) => {
      const recorder = await record();
      new WebService("orders", { ...web, ...args }, { protect: true });
      await settled();
      return recorder.one(types.deployment).protect;
    };
    assert.equal(await protection({}), true);
    assert.equal(await protection({ protect: false }), false);
  });

  it("routes the host to the Service, and names it for a certificate only with tls", async () => {
    const args = { host: "orders.example.com", ingressClassName: "alb" };
    const { spec } = (await made(args)).one(types.ingress).inputs;
    const backend = { service: { name: "orders", port: { name: "http" } } };
    assert.deepEqual(spec, {
      ingressClassName: "alb",
      rules: [{ host: args.host, http: { paths: [{ backend, path: "/", pathType: "Prefix" }] } }],
    });
    const secure = (await made({ ...args, tls: true })).one(types.ingress).inputs.spec;
    assert.deepEqual(secure.tls, [{ hosts: [args.host] }]);
  });

  it("routes several hosts and paths to the Service, and gives the URL of the first", async () => {
    const args: Partial<WebServiceArgs> = {
      host: "a.example.com",
      hosts: [{ host: "b.example.com", paths: [{ path: "/orders", pathType: "Exact" }] }],
      tls: true,
      tlsSecretName: "certificate",
    };
    const { spec } = (await made(args)).one(types.ingress).inputs;
    const backend = { service: { name: "orders", port: { name: "http" } } };
    assert.deepEqual(spec.rules, [
      { host: "a.example.com", http: { paths: [{ backend, path: "/", pathType: "Prefix" }] } },
      { host: "b.example.com", http: { paths: [{ backend, path: "/orders", pathType: "Exact" }] } },
    ]);
    assert.deepEqual(spec.tls, [
      { hosts: ["a.example.com", "b.example.com"], secretName: "certificate" },
    ]);
    assert.equal((await envOf(args))["APP_ENDPOINT"], "https://a.example.com/");
    const second = { hosts: [{ host: "b.example.com" }] };
    assert.equal((await envOf(second))["APP_ENDPOINT"], "http://b.example.com/");
  });

  it("asks an ALB to send to pods, and to let requests finish no longer than pods live", async () => {
    const args: Partial<WebServiceArgs> = {
      host: "a.example.com",
      ingressGroupName: "review",
      ingressPreset: "eks-alb",
      tls: true,
    };
    const { metadata, spec } = (await made(args)).one(types.ingress).inputs;
    const alb = "alb.ingress.kubernetes.io";
    assert.deepEqual(metadata.annotations, {
      [`${alb}/group.name`]: "review",
      [`${alb}/healthcheck-path`]: "/health/ready",
      [`${alb}/healthcheck-port`]: "8081",
      [`${alb}/listen-ports`]: '[{"HTTP":80},{"HTTPS":443}]',
      [`${alb}/scheme`]: "internal",
      [`${alb}/ssl-policy`]: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
      [`${alb}/ssl-redirect`]: "443",
      [`${alb}/target-group-attributes`]: "deregistration_delay.timeout_seconds=30",
      [`${alb}/target-type`]: "ip",
    });
    assert.equal(spec.ingressClassName, "alb");
    const own = { ...args, ingressAnnotations: { [`${alb}/scheme`]: "internet-facing" } };
    const changed = (await made(own)).one(types.ingress).inputs.metadata.annotations;
    assert.equal(changed[`${alb}/scheme`], "internet-facing");
  });

  it("exposes other ports through the Service only when they say so", async () => {
    const ports = [
      { name: "metrics", port: 9090 },
      { name: "admin", port: 9091, servicePort: 81 },
    ];
    const recorder = await made({ ports });
    assert.deepEqual(recorder.one(types.service).inputs.spec.ports.slice(1), [
      { name: "admin", port: 81, protocol: "TCP", targetPort: "admin" },
    ]);
    assert.deepEqual((await containerOf({ ports })).ports.slice(2), [
      { containerPort: 9090, name: "metrics", protocol: "TCP" },
      { containerPort: 9091, name: "admin", protocol: "TCP" },
    ]);
  });

  it("lets a debugger in by a port-forward only, and not into the migration", async () => {
    const args = { database, debugPort: 5005 };
    const recorder = await made(args);
    assert.equal(recorder.one(types.service).inputs.spec.ports.length, 1);
    assert.match(
      String((await envOf(args))["JAVA_TOOL_OPTIONS"]),
      / -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127\.0\.0\.1:5005$/,
    );
    const { containers, initContainers } = await podOf(args);
    assert.equal(containers[0].ports[2].name, "debug");
    assert.ok(!JSON.stringify(initContainers).includes("jdwp"));
  });

  it("changes of a probe what is said, and keeps the rest", async () => {
    const args = { livenessProbe: { path: "/live" }, startupProbe: { failureThreshold: 150 } };
    const { livenessProbe, startupProbe } = await containerOf(args);
    const plain = await containerOf();
    assert.deepEqual(livenessProbe, {
      ...plain.livenessProbe,
      httpGet: { path: "/live", port: "management" },
    });
    assert.deepEqual(startupProbe, { ...plain.startupProbe, failureThreshold: 150 });
  });

  it("rolls out as its args say", async () => {
    const { spec } = await deploymentOf({
      maxSurge: 0,
      maxUnavailable: 1,
      minReadySeconds: 20,
      revisionHistoryLimit: 2,
    });
    assert.deepEqual(spec.strategy.rollingUpdate, { maxSurge: 0, maxUnavailable: 1 });
    assert.equal(spec.minReadySeconds, 20);
    assert.equal(spec.revisionHistoryLimit, 2);
  });

  describe("with autoscaling", () => {
    const autoscaling = { maxReplicas: 9, minReplicas: 2 };

    it("is scaled by its own container's CPU, by an object with its name", async () => {
      const recorder = await made({ autoscaling });
      const { inputs } = recorder.one(types.autoscaler);
      assert.equal(inputs.metadata.name, "orders");
      assert.deepEqual(inputs.spec, {
        maxReplicas: 9,
        metrics: [
          {
            containerResource: {
              container: "orders",
              name: "cpu",
              target: { averageUtilization: 70, type: "Utilization" },
            },
            type: "ContainerResource",
          },
        ],
        minReplicas: 2,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "orders" },
      });
    });

    it("is scaled by memory, and by CPU only when that is said too", async () => {
      const of = async (more: object) =>
        (await made({ autoscaling: { ...autoscaling, ...more } }))
          .one(types.autoscaler)
          .inputs.spec.metrics.map(({ containerResource }: Manifest) => [
            containerResource.name,
            containerResource.target.averageUtilization,
          ]);
      assert.deepEqual(await of({ memoryUtilization: 80 }), [["memory", 80]]);
      assert.deepEqual(await of({ cpuUtilization: 50, memoryUtilization: 80 }), [
        ["cpu", 50],
        ["memory", 80],
      ]);
    });

    it("starts with minReplicas, and leaves the number alone from then on", async () => {
      const { ignoreChanges, inputs } = (await made({ autoscaling })).one(types.deployment);
      assert.equal(inputs.spec.replicas, 2);
      assert.deepEqual(ignoreChanges, ["spec.replicas"]);
      assert.deepEqual((await made()).one(types.deployment).ignoreChanges, []);
    });

    it("changes nothing else of the Deployment", async () => {
      assert.deepEqual(await deploymentOf({ autoscaling }), await deploymentOf({ replicas: 2 }));
    });

    it("removes no pod when there are more than minReplicas: it ignores the difference", async () => {
      const { inputs: before } = (await made({ replicas: 5 })).one(types.deployment);
      const { ignoreChanges, inputs } = (await made({ autoscaling })).one(types.deployment);
      assert.equal(before.spec.replicas, 5);
      assert.deepEqual(ignoreChanges, ["spec.replicas"]);
      assert.deepEqual({ ...inputs, spec: { ...inputs.spec, replicas: 5 } }, before);
    });

    it("has a PodDisruptionBudget only when there is always more than one pod", async () => {
      assert.equal((await made({ autoscaling })).all(types.budget).length, 1);
      const one = { ...autoscaling, minReplicas: 1 };
      assert.equal((await made({ autoscaling: one })).all(types.budget).length, 0);
    });

    it("applies an override last to the autoscaler", async () => {
      const overrides: WebServiceArgs["overrides"] = {
        autoscalerSpec: (s) => ({ ...s, maxReplicas: 10 }),
      };
      const recorder = await made({ autoscaling, overrides });
      assert.equal(recorder.one(types.autoscaler).inputs.spec.maxReplicas, 10);
    });
  });

  it("keeps the order of variables no matter the order of env", async () => {
    const one = await containerOf({ env: { A_KEY: "1", Z_KEY: "2" } });
    const two = await containerOf({ env: { Z_KEY: "2", A_KEY: "1" } });
    assert.deepEqual(two.env, one.env);
  });

  it("does not change the caller's args", async () => {
    const args = Object.freeze({ ...web, args: Object.freeze(["serve"]), database });
    await record();
    new WebService("orders", args);
    await settled();
  });

  describe("applies overrides last to", () => {
    const all = { database, host: "orders.example.com", replicas: 2 };
    const cases: readonly [
      string,
      WebServiceArgs["overrides"],
      (r: Recorder) => unknown,
      unknown,
    ][] = [
      [
        "the container",
        { container: (c) => ({ ...c, tty: true }) },
        (r) => r.one(types.deployment).inputs.spec.template.spec.containers[0].tty,
        true,
      ],
      [
        "the pod",
        { podSpec: (s) => ({ ...s, priorityClassName: "high" }) },
        (r) => r.one(types.deployment).inputs.spec.template.spec.priorityClassName,
        "high",
      ],
      [
        "the Deployment",
        { deploymentSpec: (s) => ({ ...s, paused: true }) },
        (r) => r.one(types.deployment).inputs.spec.paused,
        true,
      ],
      [
        "the Service",
        { serviceSpec: (s) => ({ ...s, sessionAffinity: "ClientIP" }) },
        (r) => r.one(types.service).inputs.spec.sessionAffinity,
        "ClientIP",
      ],
      [
        "the Ingress",
        { ingressSpec: (s) => ({ ...s, ingressClassName: "own" }) },
        (r) => r.one(types.ingress).inputs.spec.ingressClassName,
        "own",
      ],
      [
        "the PodDisruptionBudget",
        { podDisruptionBudgetSpec: (s) => ({ ...s, maxUnavailable: 2 }) },
        (r) => r.one(types.budget).inputs.spec.maxUnavailable,
        2,
      ],
    ];
    for (const [what, overrides, read, expected] of cases) {
      it(`${what}, and leave the rest as it was`, async () => {
        const plain = await made(all);
        const recorder = await made({ ...all, ...(overrides && { overrides }) });
        assert.equal(read(recorder), expected);
        assert.notEqual(read(plain), expected);
        const changed = recorder
          .custom()
          .filter(
            ({ inputs, type }) => JSON.stringify(inputs) !== JSON.stringify(plain.one(type).inputs),
          );
        assert.equal(changed.length, 1);
      });
    }
  });

  describe("refuses", () => {
    const cases: readonly [Partial<WebServiceArgs>, string][] = [
      [
        { imageRef: "registry/services-orders:latest" },
        'imageRef must be repository@sha256:<64 hex digits>, got "registry/services-orders:latest"; name the image by its digest: a tag may be moved',
      ],
      [
        { requests: { cpu: "0", memory: "512Mi" } },
        'requests.cpu must be a CPU quantity above 0, got "0"; write cores or thousandths, such as "0.5" or "250m"',
      ],
      [
        { requests: { cpu: "1", memory: "512M" } },
        'requests.memory must be a memory quantity in Ki, Mi or Gi, got "512M"; write it as "512Mi"',
      ],
      [
        { env: { PORT: "1" } },
        'env must contain only legal names that the component does not set itself, got "PORT"; write letters, digits and _; for a variable that the component sets, use its arg or the `container` override',
      ],
      [
        { drainSeconds: -1 },
        "drainSeconds must be an integer from 0 to 3600, got -1; raise it to at least 0",
      ],
      [
        { host: "https://x" },
        'host must be a host name with a domain, in lower case, got "https://x"; leave out scheme, port and path',
      ],
      [
        { port: 80 },
        "port must be an integer from 1025 to 65535, got 80; raise it to at least 1025",
      ],
      [
        { preStopSeconds: 0 },
        "preStopSeconds must be an integer from 1 to 3600, got 0; raise it to at least 1",
      ],
      [
        { progressDeadlineSeconds: 5 },
        "progressDeadlineSeconds must be an integer above minReadySeconds (10), got 5; give a pod time to start",
      ],
      [
        { autoscaling: { maxReplicas: 2, minReplicas: 2 }, replicas: 2 },
        "replicas must be left out if autoscaling is set, got 2; use autoscaling.minReplicas",
      ],
      [
        { autoscaling: { maxReplicas: 2, minReplicas: 0 } },
        "autoscaling.minReplicas must be an integer from 1 to 1000, got 0; raise it to at least 1",
      ],
      [
        { autoscaling: { maxReplicas: 2, minReplicas: 3 } },
        "autoscaling.maxReplicas must be an integer from 3 to 1000, got 2; raise it to at least 3",
      ],
      [
        { autoscaling: { cpuUtilization: 0, maxReplicas: 2, minReplicas: 1 } },
        "autoscaling.cpuUtilization must be an integer from 1 to 1000, got 0; raise it to at least 1",
      ],
      [
        { autoscaling: { maxReplicas: 2, memoryUtilization: 101, minReplicas: 1 } },
        "autoscaling.memoryUtilization must be an integer from 1 to 100, got 101; lower it to at most 100",
      ],
      [
        { hosts: [{ host: "X" }] },
        'hosts[0].host must be a host name with a domain, in lower case, got "X"; leave out scheme, port and path',
      ],
      [
        { host: "a.example", hosts: [{ host: "a.example" }] },
        'hosts[0].host must be unique, got "a.example"; put all paths of the host into one entry',
      ],
      [
        { hosts: [{ host: "a.example", paths: [{ path: "orders" }] }] },
        'hosts[0].paths[0].path must start with a slash, and contain no space, ? or #, got "orders"; write it as "/orders"',
      ],
      [
        { hosts: [{ host: "a.example", paths: [] }] },
        "hosts[0].paths must have at least one path, got []; leave `paths` out for all paths",
      ],
      [
        { host: "a.example", publicPort: 65_536 },
        "publicPort must be an integer from 1 to 65535, got 65536; lower it to at most 65535",
      ],
      [
        { host: "a.example", tlsSecretName: "c" },
        'tlsSecretName must be left out without tls, got "c"; set `tls` to true',
      ],
      [
        { host: "a.example", ingressScheme: "internal" },
        'ingressScheme must be left out without ingressPreset, got "internal"; set `ingressPreset`, or write an annotation with `ingressAnnotations`',
      ],
      [
        { host: "a.example", ingressGroupName: "A b", ingressPreset: "eks-alb" },
        'ingressGroupName must have at most 63 characters (lower case letters, digits, hyphens, dots), and start and end with a letter or digit, got "A b"; use a name such as "orders-internal"',
      ],
      [
        { deregistrationDelaySeconds: 61, host: "a.example", ingressPreset: "eks-alb" },
        "deregistrationDelaySeconds must be an integer from 0 to 60, got 61; lower it to at most 60",
      ],
      [
        { ports: [{ name: "a-very-long-name", port: 9090 }] },
        'ports[0].name must be at most 15 lower case letters, digits and hyphens, got "a-very-long-name"; write it as "metrics"',
      ],
      [
        { ports: [{ name: "http", port: 9090 }] },
        'ports[0].name must be unique, got "http"; choose another one',
      ],
      [{ debugPort: 8080 }, "debugPort must differ from port, got 8080; choose another one"],
      [
        { debugPort: 8081 },
        "debugPort must differ from managementPort, got 8081; choose another one",
      ],
      [
        { managementPort: 81 },
        "managementPort must be an integer from 1025 to 65535, got 81; raise it to at least 1025",
      ],
      [
        { port: 8081 },
        "port must differ from the default of managementPort, got 8081; choose another one, or set managementPort",
      ],
      [
        { ports: [{ name: "management", port: 9090 }] },
        'ports[0].name must be unique, got "management"; choose another one',
      ],
      [
        { ports: [{ name: "other", port: 8081 }] },
        "ports[0].port must be unique, got 8081; choose another one",
      ],
      [
        { env: { MANAGEMENT_PORT: "1" } },
        'env must contain only legal names that the component does not set itself, got "MANAGEMENT_PORT"; write letters, digits and _; for a variable that the component sets, use its arg or the `container` override',
      ],
      [
        { ports: [{ name: "other", port: 8080 }] },
        "ports[0].port must be unique, got 8080; choose another one",
      ],
      [
        { ports: [{ name: "admin", port: 9090, servicePort: 80 }] },
        "ports[0].servicePort must be unique, got 80; choose another one",
      ],
      [
        { ports: [{ name: "admin", port: 90 }] },
        "ports[0].port must be an integer from 1025 to 65535, got 90; raise it to at least 1025",
      ],
      [
        { debugPort: 1 },
        "debugPort must be an integer from 1025 to 65535, got 1; raise it to at least 1025",
      ],
      [
        { maxSurge: 0 },
        "maxSurge must be above 0 if maxUnavailable is 0, got 0; raise one of the two, because a rollout must be able to add or to remove a pod",
      ],
      [
        { maxUnavailable: "101%" },
        'maxUnavailable must be an integer of at least 0, or a percentage of at most 100%, got "101%"; write it as 1 or "25%"',
      ],
      [
        { readinessProbe: { periodSeconds: 0 } },
        "readinessProbe.periodSeconds must be an integer from 1 to 3600, got 0; raise it to at least 1",
      ],
      [
        { livenessProbe: { path: "live" } },
        'livenessProbe.path must start with a slash, got "live"; write it as "/health/live"',
      ],
      [
        { replicas: 1.5 },
        "replicas must be an integer from 0 to 1000, got 1.5; write a number without a fraction",
      ],
      [
        { terminationGracePeriodSeconds: 54 },
        "terminationGracePeriodSeconds must be an integer of at least 55 (preStopSeconds + drainSeconds + 10), got 54; raise it, or lower the other two",
      ],
      [
        { terminationGracePeriodSeconds: 60.5 },
        "terminationGracePeriodSeconds must be an integer of at least 55 (preStopSeconds + drainSeconds + 10), got 60.5; raise it, or lower the other two",
      ],
    ];
    for (const [args, text] of cases) {
      it(text, async () => {
        const recorder = await record();
        assert.throws(
          () => new WebService("orders", { ...web, ...args }),
          (error: Error) => {
            assert.ok(ResourceError.isInstance(error));
            assert.equal(error.message, `WebService "orders": ${text}`);
            return true;
          },
        );
        await settled();
        assert.equal(recorder.custom().length, 0);
      });
    }

    it("every issue in one message, one line each, before the first child", async () => {
      const recorder = await record();
      const make = () => new WebService("Orders", { ...web, port: 80, replicas: -1 });
      assert.throws(make, (error: Error) => {
        assert.deepEqual(
          error.message.split("\n").map((line) => line.split(" must ")[0]),
          [
            'WebService "Orders": name',
            'WebService "Orders": port',
            'WebService "Orders": replicas',
          ],
        );
        return true;
      });
      await settled();
      assert.equal(recorder.custom().length, 0);
    });
  });

  it("carries the identity's labels on every object, and the release's on the Deployment and pods only", async () => {
    const recorder = await made({ host: "orders.example.com", replicas: 2 });
    const own = {
      ...webSelector,
      app: identity.app,
      "app.kubernetes.io/managed-by": "pulumi",
      "app.kubernetes.io/part-of": "services-orders",
      protected_branch: "false",
      service: "services-orders",
    };
    const released = {
      branch: recorder.one(types.deployment).inputs.metadata.labels.branch,
      commit_id: "0123456",
      "tags.datadoghq.com/env": "review",
      "tags.datadoghq.com/service": "services-orders",
      "tags.datadoghq.com/version": "0123456",
      track: "stable",
      version: recorder.one(types.deployment).inputs.metadata.labels.branch,
    };
    assert.match(released.branch, /^feature-x-[a-z2-7]{8}$/);
    for (const { inputs, type } of recorder.custom()) {
      const expected = type === types.deployment ? { ...own, ...released } : own;
      assert.deepEqual(inputs.metadata.labels, expected, type);
    }
    const { template } = recorder.one(types.deployment).inputs.spec;
    assert.deepEqual(template.metadata.labels, { ...own, ...released });
  });
});
