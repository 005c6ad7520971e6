import assert from "node:assert/strict";
import { Postgres, type PostgresArgs } from "../../../components/postgres/postgres";
import { digest, identity } from "../../support/fixtures";
import { matchesGolden } from "../../support/golden";
import { type Manifest, type Recorder, record, settled, valueOf } from "../../support/mocks";

const types = {
  secret: "kubernetes:core/v1:Secret",
  service: "kubernetes:core/v1:Service",
  statefulSet: "kubernetes:apps/v1:StatefulSet",
};
const args: PostgresArgs = { identity, imageRef: `postgres@${digest}`, namespace: "ns" };

async function made(more: Partial<PostgresArgs> = {}): Promise<Recorder & { made: Postgres }> {
  const recorder = await record();
  const postgres = new Postgres("postgres", { ...args, ...more });
  await settled();
  return Object.assign(recorder, { made: postgres });
}

const podOf = async (): Promise<Manifest> =>
  (await made()).one(types.statefulSet).inputs.spec.template.spec;

describe("Postgres", () => {
  it("matches its golden manifest", async () => {
    matchesGolden("postgres", await made());
  });

  it("makes a StatefulSet, a Service and a Secret, all its children", async () => {
    const recorder = await made();
    assert.equal(recorder.custom().length, 3);
    for (const { parentage, type } of recorder.custom()) {
      assert.equal(parentage, `services:k8s:Postgres$${type}`);
    }
  });

  it("keeps the first password, which the database was made with", async () => {
    const { ignoreChanges } = (await made()).one(types.secret);
    assert.deepEqual(ignoreChanges, ["data"]);
  });

  it("generates a password of 192 random bits, as a secret", async () => {
    const passwordOf = async (): Promise<string> => {
      const { secret } = (await made()).made.nodes;
      const data = await valueOf(secret.data);
      return Buffer.from(String(data["password"]), "base64").toString();
    };
    const [one, two] = [await passwordOf(), await passwordOf()];
    assert.match(one, /^[A-Za-z0-9_-]{32}$/);
    assert.notEqual(one, two);
  });

  it("tells where it is, by the names of the Service and the Secret", async () => {
    const { made: postgres } = await made();
    const { host, name, port, secretName } = postgres.database;
    assert.equal(await valueOf(host), "postgres");
    assert.equal(await valueOf(secretName), "postgres-auto");
    assert.equal(name, "orders");
    assert.equal(port, 5432);
  });

  it("has pods of component database, which no web Service selects", async () => {
    const recorder = await made();
    const { spec } = recorder.one(types.statefulSet).inputs;
    const component = "app.kubernetes.io/component";
    assert.equal(spec.template.metadata.labels[component], "database");
    assert.deepEqual(recorder.one(types.service).inputs.spec.selector, spec.selector.matchLabels);
    for (const [key, value] of Object.entries(spec.selector.matchLabels)) {
      assert.equal(spec.template.metadata.labels[key], value);
    }
  });

  it("is headless, and the StatefulSet's own Service", async () => {
    const recorder = await made();
    const { inputs } = recorder.one(types.service);
    assert.equal(inputs.spec.clusterIP, "None");
    assert.equal(recorder.one(types.statefulSet).inputs.spec.serviceName, inputs.metadata.name);
  });

  it("deletes its volume with itself", async () => {
    const { spec } = (await made()).one(types.statefulSet).inputs;
    assert.equal(spec.persistentVolumeClaimRetentionPolicy.whenDeleted, "Delete");
    assert.equal(spec.volumeClaimTemplates[0].spec.resources.requests.storage, "1Gi");
  });

  it("is ready only when it answers by TCP", async () => {
    const { readinessProbe } = (await podOf()).containers[0];
    assert.deepEqual(readinessProbe.exec.command.slice(0, 3), ["pg_isready", "-h", "127.0.0.1"]);
  });

  it("is admitted under Pod Security restricted, and writes to volumes only", async () => {
    const pod = await podOf();
    const [container] = pod.containers;
    assert.equal(pod.securityContext.runAsUser, 10001);
    assert.equal(pod.securityContext.fsGroup, 10001);
    assert.equal(container.securityContext.readOnlyRootFilesystem, true);
    const writable = container.volumeMounts.filter((mount: Manifest) => mount.readOnly !== true);
    assert.deepEqual(
      writable.map((mount: Manifest) => mount.mountPath),
      ["/var/lib/postgresql/data", "/var/run/postgresql", "/tmp"],
    );
  });

  it("reads its password from a file", async () => {
    const { env } = (await podOf()).containers[0];
    const names = env.map(({ name }: Manifest) => name);
    assert.deepEqual(names, ["PGDATA", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE", "POSTGRES_USER"]);
  });

  describe("applies overrides last to", () => {
    const of = (r: Recorder): Manifest => r.one(types.statefulSet).inputs.spec;
    const cases: readonly [string, PostgresArgs["overrides"], (r: Recorder) => unknown, unknown][] =
      [
        [
          "the container",
          { container: (c) => ({ ...c, tty: true }) },
          (r) => of(r).template.spec.containers[0].tty,
          true,
        ],
        [
          "the pod",
          { podSpec: (s) => ({ ...s, priorityClassName: "low" }) },
          (r) => of(r).template.spec.priorityClassName,
          "low",
        ],
        [
          "the StatefulSet",
          { statefulSetSpec: (s) => ({ ...s, replicas: 0 }) },
          (r) => of(r).replicas,
          0,
        ],
        [
          "the Service",
          { serviceSpec: (s) => ({ ...s, publishNotReadyAddresses: true }) },
          (r) => r.one(types.service).inputs.spec.publishNotReadyAddresses,
          true,
        ],
      ];
    for (const [what, overrides, read, expected] of cases) {
      it(what, async () => {
        assert.notEqual(read(await made()), expected);
        assert.equal(read(await made({ ...(overrides && { overrides }) })), expected);
      });
    }
  });

  it("refuses every issue in one message, before the first child", async () => {
    const recorder = await record();
    const make = () =>
      new Postgres("DB", { ...args, databaseName: "a-b", imageRef: "postgres:17", storage: "1G" });
    assert.throws(make, {
      message: [
        'Postgres "DB": name must be a DNS label of at most 52 characters, got "DB"; use lower case letters, digits and hyphens, start with a letter, and do not end with a hyphen',
        'Postgres "DB": imageRef must be repository@sha256:<64 hex digits>, got "postgres:17"; name the image by its digest: a tag may be moved',
        'Postgres "DB": databaseName must be a plain identifier of at most 63 characters, got "a-b"; use lower case letters, digits and _, and start with a letter',
        'Postgres "DB": storage must be a quantity in Ki, Mi or Gi, got "1G"; write it as "1Gi"',
      ].join("\n"),
    });
    await settled();
    assert.equal(recorder.custom().length, 0);
  });

  it("refuses a name whose pods could not be labelled with their revision", async () => {
    await record();
    const name = "d".repeat(53);
    assert.throws(() => new Postgres(name, args), { message: /at most 52 characters/ });
    new Postgres(name.slice(1), args);
    await settled();
  });
});
