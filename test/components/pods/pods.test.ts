import assert from "node:assert/strict";
import { output } from "@pulumi/pulumi";
import type { Database } from "../../../components/pods/database";
import type { PodArgs } from "../../../components/pods/args";
import { ScheduledJob } from "../../../components/scheduled-job/scheduled-job";
import { WebService } from "../../../components/web-service/web-service";
import { database, imageRef, job, web } from "../../support/fixtures";
import { type Manifest, type Recorder, record, settled } from "../../support/mocks";

const types = {
  configMap: "kubernetes:core/v1:ConfigMap",
  serviceAccount: "kubernetes:core/v1:ServiceAccount",
};

const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
};

/** The args that both components under test have: the shared args of pods, and `database`. */
type Given = PodArgs & { readonly database?: Database };

interface Component {
  /** Number of objects that the component creates without additional args. */
  readonly objects: number;
  readonly make: (args: Given) => unknown;
  readonly template: (recorder: Recorder) => Manifest;
  readonly type: string;
}

/** Returns the template of a web pod without the volume that only web pods have. */
function withoutDiagnostics(template: Manifest): Manifest {
  const others = ({ name }: Manifest) => name !== "diagnostics";
  const { spec } = template;
  const containers = spec.containers.map((container: Manifest) => ({
    ...container,
    volumeMounts: container.volumeMounts.filter(others),
  }));
  return { ...template, spec: { ...spec, containers, volumes: spec.volumes.filter(others) } };
}

const components: readonly Component[] = [
  {
    make: (args) => new WebService("orders", { ...web, database, ...args }),
    objects: 3,
    template: (r) =>
      withoutDiagnostics(r.one("kubernetes:apps/v1:Deployment").inputs.spec.template),
    type: "WebService",
  },
  {
    make: (args) => new ScheduledJob("orders", { ...job, database, ...args }),
    objects: 1,
    template: (r) => r.one("kubernetes:batch/v1:CronJob").inputs.spec.jobTemplate.spec.template,
    type: "ScheduledJob",
  },
];

for (const { make, objects, template, type } of components) {
  describe(`the pods of ${type}`, () => {
    async function made(args: Given): Promise<Recorder> {
      const recorder = await record();
      make(args);
      await settled();
      return recorder;
    }
    const podOf = async (args: Given): Promise<Manifest> => template(await made(args)).spec;
    const variable = async (args: PodArgs, name: string): Promise<Manifest> =>
      (await podOf(args)).containers[0].env.find((v: Manifest) => v.name === name);

    it("take a variable from a text, from an output, and from a Secret's key", async () => {
      const env = {
        LATER: output("known later"),
        TEXT: "text",
        TOKEN: { key: "token", secretName: "partner" },
      };
      assert.deepEqual(await variable({ env }, "TEXT"), { name: "TEXT", value: "text" });
      assert.deepEqual(await variable({ env }, "LATER"), { name: "LATER", value: "known later" });
      assert.deepEqual(await variable({ env }, "TOKEN"), {
        name: "TOKEN",
        valueFrom: { secretKeyRef: { key: "token", name: "partner" } },
      });
    });

    it("take the size of the database's pool, with a database and without", async () => {
      const env = { DATABASE_POOL_SIZE: "20" };
      const name = "DATABASE_POOL_SIZE";
      assert.deepEqual(await variable({ env }, name), { name, value: "20" });
      await record();
      new WebService("orders", { ...web, env });
      new ScheduledJob("orders", { ...job, env });
      await settled();
    });

    it("find the database by a host name, an address, or what is known later", async () => {
      const hosts = ["postgres", "db-1.Example.com", "10.0.0.1", "fd00::1", output("known later")];
      for (const host of hosts) {
        await record();
        make({ database: { ...database, host } });
        await settled();
      }
    });

    it("find a Secret as read-only files, all of its keys or the given ones", async () => {
      const { containers, volumes } = await podOf({
        secretFiles: [
          { mountPath: "/etc/secrets/all", secretName: "all" },
          { keys: ["token"], mountPath: "/etc/secrets/one", secretName: "one" },
        ],
      });
      const [all, one] = volumes.slice(-2);
      assert.deepEqual(all.secret, { defaultMode: 0o440, secretName: "all" });
      assert.deepEqual(one.secret.items, [{ key: "token", path: "token" }]);
      assert.deepEqual(containers[0].volumeMounts.slice(-2), [
        { mountPath: "/etc/secrets/all", name: all.name, readOnly: true },
        { mountPath: "/etc/secrets/one", name: one.name, readOnly: true },
      ]);
      assert.notEqual(all.name, one.name);
    });

    it("find files of configuration at their paths, from a ConfigMap that Pulumi names", async () => {
      const configFiles = { "/etc/orders/limits.json": "{}", "/etc/orders/b.txt": "b" };
      const recorder = await made({ configFiles });
      const { inputs } = recorder.one(types.configMap);
      assert.deepEqual(inputs.data, { "etc_orders_b.txt": "b", "etc_orders_limits.json": "{}" });
      assert.equal(inputs.immutable, true);
      assert.equal(inputs.metadata.name, undefined);
      const { containers, volumes } = template(recorder).spec;
      assert.deepEqual(volumes.at(-1), {
        configMap: { defaultMode: 0o444, name: "orders-auto" },
        name: "config-files",
      });
      assert.deepEqual(containers[0].volumeMounts.at(-1), {
        mountPath: "/etc/orders/limits.json",
        name: "config-files",
        readOnly: true,
        subPath: "etc_orders_limits.json",
      });
      assert.equal(recorder.custom().length, objects + 1);
    });

    it("find other volumes where they are mounted", async () => {
      const { containers, volumes } = await podOf({
        volumeMounts: [{ mountPath: "/cache", name: "cache" }],
        volumes: [{ emptyDir: {}, name: "cache" }],
      });
      assert.deepEqual(volumes.at(-1), { emptyDir: {}, name: "cache" });
      assert.deepEqual(containers[0].volumeMounts.at(-1), { mountPath: "/cache", name: "cache" });
    });

    it("start sidecars first, then init containers, then what is the component's own", async () => {
      const { containers, initContainers } = await podOf({
        initContainers: [{ image: imageRef, name: "before" }],
        sidecars: [{ image: imageRef, name: "beside" }],
      });
      const names = initContainers.map(({ name }: Manifest) => name);
      assert.deepEqual(names.slice(0, 2), ["beside", "before"]);
      assert.equal(initContainers[0].restartPolicy, "Always");
      assert.equal(initContainers[1].restartPolicy, undefined);
      assert.equal(containers.length, 1);
    });

    it("are admitted under Pod Security restricted with other containers, unless these say otherwise", async () => {
      const { initContainers } = await podOf({
        initContainers: [{ name: "own", securityContext: { runAsUser: 20_000 } }],
        sidecars: [{ name: "beside" }],
      });
      assert.deepEqual(initContainers[0].securityContext, restricted);
      assert.deepEqual(initContainers[1].securityContext, { runAsUser: 20_000 });
    });

    it("go where nodeSelector and tolerations let them", async () => {
      const nodeSelector = { "kubernetes.io/arch": "arm64" };
      const tolerations = [{ key: "spot", operator: "Exists" }];
      const pod = await podOf({ nodeSelector, tolerations });
      assert.deepEqual(pod.nodeSelector, nodeSelector);
      assert.deepEqual(pod.tolerations, tolerations);
    });

    it("carry their own labels and annotations, and the objects theirs", async () => {
      const recorder = await made({
        annotations: { "example.com/object": "1" },
        labels: { object: "1" },
        podAnnotations: { "example.com/pod": "1" },
        podLabels: { pod: "1" },
      });
      const { metadata } = template(recorder);
      assert.equal(metadata.labels.pod, "1");
      assert.equal(metadata.labels.object, undefined);
      assert.deepEqual(metadata.annotations, { "example.com/pod": "1" });
      for (const { inputs } of recorder.custom()) {
        assert.equal(inputs.metadata.labels.object, "1");
        assert.equal(inputs.metadata.labels.pod, undefined);
        assert.equal(inputs.metadata.annotations["example.com/object"], "1");
      }
    });

    it("have selectors without the caller's labels", async () => {
      const plain = await made({});
      const labelled = await made({ labels: { team: "a" }, podLabels: { team: "a" } });
      const selectors = (r: Recorder) =>
        r.custom().map(({ inputs }) => JSON.stringify(inputs.spec?.selector ?? null));
      assert.deepEqual(selectors(labelled), selectors(plain));
    });

    it("may assume an IAM role through their own ServiceAccount", async () => {
      const iamRoleArn = "arn:aws:iam::123456789012:role/orders";
      const recorder = await made({ iamRoleArn });
      const { inputs } = recorder.one(types.serviceAccount);
      assert.deepEqual(inputs.metadata.annotations, { "eks.amazonaws.com/role-arn": iamRoleArn });
      assert.equal(inputs.automountServiceAccountToken, false);
      assert.equal(template(recorder).spec.serviceAccountName, "orders");
    });

    it("are limited in CPU and memory as their args say, and the JVM knows its processors", async () => {
      const args = { cpuLimit: "3", memoryLimit: "1Gi" };
      assert.deepEqual((await podOf(args)).containers[0].resources, {
        limits: { cpu: "3", memory: "1Gi" },
        requests: { cpu: "250m", memory: "512Mi" },
      });
      const { value } = await variable(args, "JAVA_TOOL_OPTIONS");
      assert.match(value, / -XX:ActiveProcessorCount=3\b/);
    });

    it("take JVM flags after their own, so that these win", async () => {
      const { value } = await variable(
        { javaOptions: ["-Xlog:gc", "-Xss1m"] },
        "JAVA_TOOL_OPTIONS",
      );
      assert.match(value, /^-XX:MaxRAMPercentage=60 .* -Xlog:gc -Xss1m$/);
    });

    it("load Datadog's agent from where an init container has copied it", async () => {
      const args = { datadogAgent: { imageRef } };
      const { containers, initContainers, volumes } = await podOf(args);
      const copy = initContainers.find(({ name }: Manifest) => name === "datadog-agent");
      assert.equal(copy.image, imageRef);
      assert.deepEqual(copy.command, ["sh", "copy-lib.sh", "/datadog-lib"]);
      assert.deepEqual(copy.securityContext, restricted);
      const mount = { mountPath: "/datadog-lib", name: "datadog-agent" };
      assert.deepEqual(copy.volumeMounts, [mount]);
      assert.deepEqual(containers[0].volumeMounts.at(-1), mount);
      assert.deepEqual(volumes.at(-1).emptyDir, { sizeLimit: "128Mi" });
      const { value } = await variable(args, "JAVA_TOOL_OPTIONS");
      assert.match(value, / -javaagent:\/datadog-lib\/dd-java-agent\.jar\b/);
    });

    it("verify the database with the authorities in its Secret, if they are required", async () => {
      const authority = { name: "DATABASE_SSLROOTCERT", value: "/etc/secrets/database/ca.crt" };
      const { containers, volumes } = await podOf({
        database: { ...database, sslMode: "verify-full" },
      });
      const { env } = containers[0];
      assert.deepEqual(
        env.filter(({ name }: Manifest) => String(name).startsWith("DATABASE_SSL")),
        [{ name: "DATABASE_SSLMODE", value: "verify-full" }, authority],
      );
      const { secret } = volumes.find(({ name }: Manifest) => name === "database");
      assert.ok(secret.items.some(({ key, path }: Manifest) => key === "ca.crt" && path === key));

      const plain = await podOf({ database: { ...database, sslMode: "require" } });
      assert.ok(!JSON.stringify(plain).includes("ca.crt"));
    });

    it("tell Datadog what their log is", async () => {
      const { metadata } = template(await made({ logSource: "java" }));
      assert.deepEqual(metadata.annotations, {
        "ad.datadoghq.com/orders.logs": '[{"service":"services-orders","source":"java"}]',
      });
    });

    describe("are refused with", () => {
      it("a variable that says where the database is, and with each that `database` sets", async () => {
        const verified = { ...database, sslMode: "verify-full" } as const;
        const set = (await podOf({ database: verified })).containers[0].env
          .map(({ name }: Manifest) => String(name))
          .filter((name: string) => name.startsWith("DATABASE_"));
        assert.equal(set.length, 7);
        for (const name of [...set, "DATABASE_USERNAME", "DATABASE_PASSWORD"]) {
          assert.throws(() => make({ env: { [name]: "x" } }), { message: /does not set itself/ });
        }
        await settled();
      });

      const cases: readonly [Given, string][] = [
        [
          // @ts-expect-error The compiler rejects this value, but JavaScript code could pass it.
          { database: { ...database, sslMode: "allow" } },
          'database.sslMode must be one of disable, prefer, require, verify-ca, verify-full, got "allow"; use "verify-full" for a database outside of the namespace',
        ],
        ...["db.example.com:5432", "postgres://db", "db_1", "-db", "", "10.0.0", "10.0.0.256"].map(
          (host): [Given, string] => [
            { database: { ...database, host } },
            `database.host must be a host name or an IP address, got "${host}"; leave out scheme, port and path`,
          ],
        ),
        [
          { database: { ...database, port: 65_536 } },
          "database.port must be an integer from 1 to 65535, got 65536; lower it to at most 65535",
        ],
        [
          { database: { ...database, port: 5432.5 } },
          "database.port must be an integer from 1 to 65535, got 5432.5; write a number without a fraction",
        ],
        [
          { env: { TOKEN: { key: "a/b", secretName: "s" } } },
          'env.TOKEN.key must be a legal key of a Secret, got "a/b"; use letters, digits, dots, hyphens and underscores',
        ],
        [
          { cpuLimit: "100m" },
          'cpuLimit must be a CPU quantity, not below requests.cpu, got "100m"; raise it, or leave it out',
        ],
        [
          { memoryLimit: "1G" },
          'memoryLimit must be a memory quantity in Ki, Mi or Gi, not below requests.memory, got "1G"; raise it, or leave it out',
        ],
        [
          { datadogAgent: { imageRef: "agent:latest" } },
          'datadogAgent.imageRef must be repository@sha256:<64 hex digits>, got "agent:latest"; name the image by its digest: a tag may be moved',
        ],
        [
          { annotations: { "pulumi.com/skipAwait": "false" } },
          'annotations must have no key that the component sets itself, got "pulumi.com/skipAwait"; use the arg that sets it, or another key',
        ],
        [
          { labels: { version: "1" } },
          'labels must have no key that the component sets itself, got "version"; use the arg that sets it, or another key',
        ],
        [
          { labels: { team: "a team" } },
          'labels["team"] must have at most 63 characters (letters, digits, dots, hyphens, underscores), and start and end with a letter or digit, got "a team"; use an annotation for other text',
        ],
        [
          { podLabels: { "app.kubernetes.io/name": "x" } },
          'podLabels must have no key that the component sets itself, got "app.kubernetes.io/name"; use the arg that sets it, or another key',
        ],
        [
          { podLabels: { track: "canary" } },
          'podLabels must have no key that the component sets itself, got "track"; use the arg that sets it, or another key',
        ],
        [
          { podAnnotations: { "a b": "1" } },
          'podAnnotations must have legal Kubernetes keys, got "a b"; write at most 63 letters, digits, dots, hyphens and underscores, with a prefix such as "example.com/" if needed',
        ],
        [
          { iamRoleArn: "services-orders" },
          'iamRoleArn must be the ARN of an IAM role, got "services-orders"; write it as "arn:aws:iam::111122223333:role/orders-prod"',
        ],
        [
          { configFiles: { "/a": "x".repeat(1024 * 1024 + 1) } },
          "configFiles must be at most 1048576 bytes together, got 1048577; put large files into the image",
        ],
        [
          { configFiles: { "/a/../b": "x" } },
          'a path of configFiles must be an absolute path without spaces, special characters or "..", got "/a/../b"; write it as "/etc/orders/limits.json"',
        ],
        [
          { secretFiles: [{ mountPath: "/tmp", secretName: "s" }] },
          'secretFiles[0].mountPath must be unique, got "/tmp"; choose another one',
        ],
        [
          {
            secretFiles: [
              { mountPath: "/s", secretName: "s" },
              { mountPath: "/s", secretName: "t" },
            ],
          },
          'secretFiles[1].mountPath must be unique, got "/s"; choose another one',
        ],
        [
          { secretFiles: [{ keys: [".."], mountPath: "/s", secretName: "s" }] },
          'secretFiles[0].keys[0] must be a legal key of a Secret, got ".."; use letters, digits, dots, hyphens and underscores',
        ],
        [
          { volumes: [{ emptyDir: {}, name: "diagnostics" }] },
          'volumes[0].name must be unique, got "diagnostics"; choose another one',
        ],
        [
          { volumes: [{ emptyDir: {}, name: "database" }] },
          'volumes[0].name must be unique, got "database"; choose another one',
        ],
        [
          { volumeMounts: [{ mountPath: "/cache", name: "cache" }] },
          'volumeMounts[0].name must be the name of a volume, got "cache"; add the volume to `volumes`',
        ],
        [
          { sidecars: [{ name: "orders" }] },
          'sidecars[0].name must be unique, got "orders"; choose another one',
        ],
        [
          { initContainers: [{ name: "n".repeat(64) }] },
          `initContainers[0].name must be a DNS label of at most 63 characters, got "${"n".repeat(64)}"; use lower case letters, digits and hyphens, start with a letter, and do not end with a hyphen`,
        ],
      ];
      for (const [args, text] of cases) {
        it(text, async () => {
          const recorder = await record();
          assert.throws(() => make(args), { message: `${type} "orders": ${text}` });
          await settled();
          assert.equal(recorder.custom().length, 0);
        });
      }

      it("two files of configuration that would be one key", async () => {
        await record();
        assert.throws(() => make({ configFiles: { "/a/b": "1", "/a_b": "2" } }), {
          message: /"\/a\/b".*\n.*"\/a_b"/,
        });
      });
    });
  });
}
