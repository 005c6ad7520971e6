import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mock } from "node:test";
import { labels } from "../../../../components/conventions/labels";
import { WrongUse } from "../../../../lib/errors";
import { doctorStack, examine } from "../../../../operations/doctor/stack/command";
import type { Row } from "../../../../operations/doctor/finding";
import type { Workspace } from "../../../../operations/pulumi/run-pulumi";
import { identityOf } from "../../../../settings/identity";
import { StandIn } from "../../support/http-stand-in";
import { Programs } from "../../support/programs";

const digest = `sha256:${"a".repeat(64)}`;
const json = (value: unknown): string => `echo '${JSON.stringify(value)}'`;
/** With this last pattern, a stand-in refuses every request that matches no other pattern. */
const refused = { "*": 'echo "unexpected: $*" >&2; exit 1' };

/** The responses that differ from the responses for a stack without any issue. */
interface Different {
  readonly kubectl?: Readonly<Record<string, string>>;
  readonly pulumi?: Readonly<Record<string, string>>;
  readonly settings?: readonly string[];
}

describe("npm run doctor -- STACK", () => {
  let programs: Programs;
  let registry: StandIn;
  let registryStatus: number;
  let workspace: Workspace;
  let printed: string[];

  const kubeSystem = { metadata: { uid: "here" } };
  const namespace = {
    metadata: {
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: labels(identityOf("staging", "staging"), "namespace"),
      name: "services-orders-staging",
      uid: "1",
    },
  };
  const deployment = {
    spec: { template: { spec: { volumes: [{ secret: { secretName: "partner" } }] } } },
  };
  const outputs = { clusterUid: "here" };
  const exported = {
    deployment: { resources: [{ outputs, type: "pulumi:pulumi:Stack", urn: "u" }] },
  };

  /**
   * Returns a shell command for the stand-in for kubectl. The shell command answers a list of
   * SelfSubjectAccessReviews in the output format that the doctor requests.
   */
  function reviews(denied: string): string {
    const file = join(programs.directory, "reviews.mjs");
    const script = `
      const { items } = JSON.parse((await process.stdin.toArray()).join(""));
      for (const { kind, spec } of items) {
        if (kind !== "SelfSubjectAccessReview") process.exit(1);
        const { group, namespace, resource, subresource = "", verb } = spec.resourceAttributes;
        if (namespace !== "services-orders-staging") process.exit(1);
        const allowed = !new RegExp(process.argv[2]).test(verb + " " + resource);
        console.log([verb, resource, subresource, group, allowed].join("|"));
      }`;
    writeFileSync(file, script);
    return `"${process.execPath}" "${file}" "${denied}"`;
  }

  function standIns({ kubectl = {}, pulumi = {}, settings = [] }: Different = {}): void {
    const answers: Readonly<Record<string, string>> = {
      "version --client*": json({ clientVersion: { gitVersion: "v1.34.0" } }),
      "version --output*": json({
        clientVersion: { gitVersion: "v1.34.0" },
        serverVersion: { gitVersion: "v1.34.4" },
      }),
      "get --raw /api/v1/namespaces/kube-system*": json(kubeSystem),
      "get namespace services-orders-staging*": json(namespace),
      "create --filename - *": reviews("^never$"),
      "get deployments,cronjobs*": json({ items: [deployment] }),
      "get secrets*": "printf 'partner Opaque 1 5d\\nservices-orders-database Opaque 2 5d\\n'",
      "config view*": "echo https://cluster.example",
    };
    // A stand-in returns the response of the first pattern that matches, so the patterns in
    // `Different` come first.
    programs.add("kubectl", { ...kubectl, ...answers, ...refused, ...kubectl });
    programs.add("pulumi", {
      ...pulumi,
      version: "echo v3.215.0",
      "stack ls*": json([{ name: "staging" }]),
      "stack export --stack staging*": json(exported),
      ...refused,
      ...pulumi,
    });
    programs.add("git", { "--version": "echo git version 2.39.5", ...refused });
    programs.add("mvn", {
      "--version": "printf 'Apache Maven 3.9.1\\nJava version: 17.0.19\\n'",
      ...refused,
    });
    const lines = [
      "databaseHost: db.example.com",
      "domain: localhost",
      "eksCluster: none",
      "ingressPreset: none",
      'tls: "false"',
      ...settings,
    ];
    const config = lines.map((line) => `  services-orders:${line}\n`).join("");
    writeFileSync(join(programs.directory, "Pulumi.staging.yaml"), `config:\n${config}`);
  }

  beforeEach(async () => {
    programs = new Programs();
    registryStatus = 404;
    registry = new StandIn(({ path }) =>
      path.startsWith("/v2/services-orders/manifests/")
        ? { body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', status: registryStatus }
        : { status: 500 },
    );
    const state = join(programs.directory, "state");
    mkdirSync(state);
    workspace = programs.workspace({
      PULUMI_BACKEND_URL: `file://${state}`,
      BUILDX_BUILDER: "here",
      SANDBOX_EKS_CLUSTER: "none",
      SANDBOX_REGISTRY: (await registry.start()).replace("http://", ""),
    });
    printed = [];
    mock.method(console, "log", (text: string) => printed.push(text));
    mock.method(console, "error", () => undefined);
  });
  afterEach(async () => {
    mock.restoreAll();
    process.exitCode = undefined;
    await registry.stop();
    programs.remove();
  });

  /** Runs the doctor, and returns the rows and the exit code. */
  async function rowsOf(): Promise<{ readonly code: unknown; readonly rows: readonly Row[] }> {
    await doctorStack("staging", { json: true }, workspace);
    const { rows } = JSON.parse(printed.join("\n")) as { readonly rows: readonly Row[] };
    return { code: process.exitCode, rows };
  }
  const row = (rows: readonly Row[], name: string): Row => {
    const found = rows.find(({ check }) => check === name);
    assert.ok(found !== undefined, name);
    return found;
  };

  it("prints one line for each check, and ends with 0 if nothing is wrong", async () => {
    standIns();
    await doctorStack("staging", {}, workspace);
    const [headline, ...lines] = printed.join("\n").split("\n");
    assert.equal(headline, "Stack staging:");
    assert.deepEqual(
      lines.map((line) => line.replace(/^ {2}(\w+) +(\w+|\w+ \w+) {2,}.*$/, "$1 $2")),
      [
        ...["ok settings", "ok pulumi", "ok git", "ok mvn", "ok kubectl", "ok state", "ok lock"],
        ...["ok cluster", "ok namespace", "ok permissions", "ok secrets", "ok registry"],
        ...["ok clock", "ok DNS", "ok certificate"],
      ],
    );
    assert.ok(lines.includes("  ok  secrets      partner, services-orders-database exist"));
    assert.equal(process.exitCode, undefined);
  });

  it("ends with 1 and says what to do for everything that is wrong", async () => {
    registryStatus = 403;
    standIns({
      kubectl: {
        "get namespace services-orders-staging*": "true",
        "get secrets*": "printf 'partner Opaque 1 5d\\n'",
        "get --raw /api/v1/namespaces/kube-system*": json({ metadata: { uid: "there" } }),
      },
      pulumi: { version: "echo v3.100.0", "stack ls*": "echo 'AccessDenied' >&2; exit 255" },
    });
    programs.add("mvn", { "--version": "printf 'Apache Maven 3.9.1\\nJava version: 11.0.2\\n'" });
    const { code, rows } = await rowsOf();
    assert.equal(code, 1);
    const wrong = rows.filter(({ status }) => status === "wrong").map(({ check }) => check);
    assert.deepEqual(wrong, [
      ...["pulumi", "mvn", "state", "cluster", "namespace", "secrets", "registry"],
    ]);
    assert.match(row(rows, "pulumi").text, /^3\.100\.0, but .* need 3\.215\.0\. Install Pulumi 3/);
    assert.match(row(rows, "mvn").text, /Maven uses Java 11, and the service needs Java 17/);
    assert.match(
      row(rows, "state").text,
      /cannot be read: AccessDenied\. Check PULUMI_BACKEND_URL/,
    );
    assert.match(row(rows, "secrets").text, /^services-orders-database does not exist in/);
  });

  it("does not fail because of what this role may not ask or do", async () => {
    standIns({
      kubectl: {
        "create --filename - *": reviews("^(?:create|delete|patch)"),
        "get secrets*": "echo 'Error from server (Forbidden): secrets is forbidden' >&2; exit 1",
      },
    });
    const { code, rows } = await rowsOf();
    assert.equal(code, undefined);
    assert.deepEqual(row(rows, "secrets"), {
      check: "secrets",
      status: "unknown",
      text: "this role may not ask whether these Secrets exist: partner, services-orders-database",
    });
    assert.equal(row(rows, "permissions").status, "ok");
    assert.match(row(rows, "permissions").text, /but not run jobs and commands \(.*deploy \(/);
  });

  it("says once that the cluster does not answer", async () => {
    standIns({
      kubectl: {
        "version --output*": "exit 1",
        "get --raw*": "echo 'dial tcp: connection refused' >&2; exit 1",
      },
    });
    const { code, rows } = await rowsOf();
    assert.equal(code, 1);
    assert.match(row(rows, "cluster").text, /^The cluster at https:\/\/cluster\.example cannot be/);
    for (const name of ["namespace", "permissions", "secrets"]) {
      assert.deepEqual(row(rows, name).text, "the cluster does not answer");
    }
    assert.equal(row(rows, "kubectl").status, "ok");
    // Stack `local` owns its namespace. This namespace may or may not exist.
    const ofLocal = await examine("local", workspace);
    for (const name of ["namespace", "permissions", "secrets"]) {
      assert.equal(row(ofLocal, name).text, "the cluster does not answer");
    }
  });

  it("does not say that all Secrets exist if it could not read which Secrets the pods use", async () => {
    const forbidden = "echo 'Error from server (Forbidden): deployments' >&2; exit 1";
    standIns({ kubectl: { "get deployments,cronjobs*": forbidden } });
    const { rows } = await rowsOf();
    assert.equal(row(rows, "secrets").status, "unknown");
    assert.match(
      row(rows, "secrets").text,
      /may not list the Deployments and CronJobs, .*\. Ask an administrator of the cluster/,
    );
  });

  it("says who holds the lock", async () => {
    standIns();
    const folder = [".pulumi", "locks", "organization", "services-orders", "staging"];
    const locks = join(programs.directory, "state", ...folder);
    mkdirSync(locks, { recursive: true });
    const owner = { hostname: "ci", pid: 7, timestamp: "2026-11-23T06:50:00Z", username: "ada" };
    writeFileSync(join(locks, "1.json"), JSON.stringify(owner));
    const { code, rows } = await rowsOf();
    assert.equal(code, undefined);
    assert.equal(row(rows, "lock").status, "unknown");
    assert.match(
      row(rows, "lock").text,
      /^locked by ada on ci, process 7.*npm run unlock -- staging$/,
    );
  });

  it("asks for the image that the stack runs, if the stack does not build its image", async () => {
    const host = workspace.env["SANDBOX_REGISTRY"] ?? "";
    standIns({ settings: [`imageRef: ${host}/services-orders@${digest}`] });
    const { rows } = await rowsOf();
    assert.match(row(rows, "registry").text, /does not have the image sha256:aaa.* any more/);
    assert.deepEqual(
      registry.asked.map(({ path }) => path),
      [`/v2/services-orders/manifests/${digest}`],
    );
    assert.ok(!rows.some(({ check }) => check === "mvn"));
  });

  it("ends in time if nothing answers, and says so", async () => {
    const hangs = { "*": "exec sleep 60" };
    // This kubectl starts a child process, as a real kubectl may start the AWS CLI. After the end
    // of kubectl, the child process still runs.
    const withChild = { "get --raw*": "sleep 8; true" };
    standIns({ kubectl: withChild, pulumi: hangs });
    const started = Date.now();
    const rows = await examine("staging", workspace, 2_000);
    const took = Date.now() - started;
    assert.ok(took < 6_000, String(took));
    assert.match(row(rows, "cluster").text, /^no result within \d s$/);
    assert.match(row(rows, "state").text, /no answer in time/);
    assert.equal(row(rows, "git").status, "ok");
  });

  it("prints every wrong setting, and checks nothing else", async () => {
    standIns({ settings: ["replicas: many", 'replics: "3"'] });
    const { code, rows } = await rowsOf();
    assert.equal(code, 1);
    assert.deepEqual(new Set(rows.map(({ check }) => check)), new Set(["settings"]));
    assert.match(rows.map(({ text }) => text).join("\n"), /Did you mean "replicas"/);
    assert.deepEqual(
      programs.calls.filter((call) => /^(?:kubectl|pulumi)/.test(call)),
      [],
    );
  });

  it("refuses a name that no stack may have", async () => {
    await assert.rejects(doctorStack("stagin", {}, workspace), WrongUse);
  });
});
