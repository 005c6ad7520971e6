import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { Postgres } from "../../components/postgres/postgres";
import { ScheduledJob } from "../../components/scheduled-job/scheduled-job";
import { Canary } from "../../components/web-service/canary";
import { WebService } from "../../components/web-service/web-service";
import { manifestOf, yamlOf } from "../../tools/render/manifests";
import { declaredBy } from "../../tools/render/program";
import { render } from "../../tools/render/render";
import { project } from "../../lib/project";
import { database, identity, imageRef, job, web } from "../support/fixtures";

const golden = (name: string): string =>
  readFileSync(join(project, "test", "golden", `${name}.yaml`), "utf8");

/** Returns the YAML of the objects that a function declares. */
async function yamlBy(run: () => unknown): Promise<string> {
  const declared = await declaredBy(run);
  return yamlOf(declared.filter(({ type }) => type.startsWith("kubernetes:")));
}

describe("rendered manifests", () => {
  const served = { database, host: "orders.example.com", tls: true };

  it("agree with the golden of a service", async () => {
    const args = { ...web, ...served, replicas: 3 };
    const yaml = await yamlBy(() => new WebService("orders", args));
    assert.equal(yaml, golden("web-service"));
  });

  it("agree with the golden of a job", async () => {
    const args = { ...job, database, serviceAccountName: "services-orders" };
    const yaml = await yamlBy(() => new ScheduledJob("expire-unpaid", args));
    assert.equal(yaml, golden("scheduled-job"));
  });

  it("agree with the golden of a canary", async () => {
    const args = { ...web, ...served, replicas: 2, serviceAccountName: "services-orders" };
    const yaml = await yamlBy(() => new Canary("services-orders-canary", args));
    assert.equal(yaml, golden("canary"));
  });

  it("agree with the golden of a database, and name the keys of its Secret", async () => {
    const args = { identity, imageRef, namespace: "ns" };
    const [yaml, expected] = [
      await yamlBy(() => new Postgres("postgres", args)),
      golden("postgres"),
    ];
    const read = (text: string) =>
      parseAllDocuments(text).map((document) => document.toJS() as Record<string, unknown>);
    const secret = read(yaml).find(({ kind }) => kind === "Secret");
    assert.deepEqual(secret?.["data"], { password: "[secret]", username: "[secret]" });
    const named = (text: string): string =>
      text
        .replace(/data:\n {2}password: .*\n {2}username: .*/, "data: (secret)")
        .replace("  name: postgres-<generated-suffix>\n", "")
        .replaceAll("postgres-<generated-suffix>", "postgres-auto")
        .replaceAll(imageRef, "IMAGE");
    assert.equal(named(yaml), named(expected.replace(/image: .*/, "image: IMAGE")));
  });

  it("mask a variable with the name of a secret, and a password in a URL", () => {
    const inputs = {
      apiVersion: "v1",
      env: [{ name: "API_TOKEN", value: "planted-token" }],
      kind: "Pod",
      metadata: { name: "pod" },
      url: "postgres://orders:planted-word@db/orders",
    };
    const text = JSON.stringify(manifestOf({ inputs, name: "pod", parent: "", type: "" }));
    assert.doesNotMatch(text, /planted/);
    assert.match(text, /"value":"\[secret\]".*orders:\[secret\]@db/);
  });
});

describe("npm run render", () => {
  let directory: string;
  let path: string;
  let printed: string;
  let said: string;
  beforeEach(() => {
    // Stand-ins for programs that `npm run render` must not start. If a stand-in starts, the
    // stand-in creates the file `ran`.
    directory = mkdtempSync(join(tmpdir(), "services-orders-render-"));
    for (const program of ["aws", "docker", "kubectl", "pulumi"]) {
      const script = `#!/bin/sh\ntouch ${join(directory, "ran")}\nexit 1\n`;
      writeFileSync(join(directory, program), script, { mode: 0o755 });
    }
    path = process.env["PATH"] ?? "";
    process.env["PATH"] = `${directory}:${path}`;
    printed = "";
    said = "";
    mock.method(process.stdout, "write", (text: string) => ((printed += text), true));
    mock.method(process.stderr, "write", (text: string) => ((said += text), true));
  });
  afterEach(() => {
    mock.restoreAll();
    process.env["PATH"] = path;
    rmSync(directory, { force: true, recursive: true });
  });

  const rendered = async (
    stack: string,
    env: Readonly<Record<string, string>> = {},
    json = false,
  ): Promise<string> => {
    printed = "";
    await render(stack, { json }, { cwd: project, env });
    return printed;
  };
  const local = { RELEASE_BRANCH: "x", SANDBOX_REGISTRY: "localhost:5000" };

  const kinds: Readonly<Record<string, readonly string[]>> = {
    local: ["Deployment", "CronJob", "Secret", "StatefulSet", "ResourceQuota"],
    prod: ["Deployment", "CronJob", "Namespace", "PodDisruptionBudget"],
    "prod-canary": ["Deployment", "NetworkPolicy"],
    "review-invoice-pdf": ["Deployment", "CronJob", "RoleBinding", "StatefulSet"],
    staging: ["Deployment", "CronJob", "Ingress", "Namespace"],
  };
  for (const [stack, expected] of Object.entries(kinds)) {
    it(`prints ${stack} without a cluster, a registry and a state, the same text twice`, async () => {
      const env = stack === "local" ? local : {};
      const text = await rendered(stack, env);
      const found = parseAllDocuments(text).map((document) => {
        assert.deepEqual(document.errors, []);
        return document.toJS() as { readonly kind: string; readonly metadata: { name: string } };
      });
      const all = new Set(found.map(({ kind }) => kind));
      assert.deepEqual(
        expected.filter((kind) => !all.has(kind)),
        [],
      );
      assert.ok(found.every(({ metadata }) => metadata.name !== ""));
      assert.equal(await rendered(stack, env), text);
      assert.throws(() => readFileSync(join(directory, "ran")), /ENOENT/);
    });
  }

  it("shows placeholders for what only a registry or an update knows, and says so", async () => {
    const text = await rendered("local", local);
    assert.match(text, /image: localhost:5000\/services-orders@sha256:<digest-of-the-image>\n/);
    assert.match(text, /secretName: postgres-<generated-suffix>\n/);
    assert.match(said, /^The \d+ objects of stack local, for commit \S+ of branch x:\n/);
    assert.match(said, /<digest-of-the-image>: the registry returns the digest/);
  });

  it("shows the image that the shell names", async () => {
    const image = `registry.example/orders@sha256:${"c".repeat(64)}`;
    const text = await rendered("prod", { RELEASE_IMAGE_REF: image });
    assert.ok(text.includes(`image: ${image}\n`));
    assert.doesNotMatch(text, /digest-of-the-image/);
  });

  it("takes main for staging, and the branch with the slug for a review stack", async () => {
    assert.match(await rendered("staging"), /\n {4}branch: main\n/);
    assert.match(await rendered("review-invoice-pdf"), /\n {4}branch: invoice-pdf\n/);
  });

  it("prints the same objects as JSON", async () => {
    const { objects, stack, version } = JSON.parse(await rendered("staging", {}, true)) as {
      readonly objects: readonly unknown[];
      readonly stack: string;
      readonly version: number;
    };
    assert.deepEqual([stack, version], ["staging", 1]);
    const yaml = parseAllDocuments(await rendered("staging")).map((one): unknown => one.toJS());
    assert.deepEqual(objects, yaml);
  });

  it("refuses a stack that cannot exist, wrong settings, and settings that the program refuses", async () => {
    await assert.rejects(rendered("stagign"), /^Error: Unknown stack "stagign"\. Expected one of/);
    await assert.rejects(rendered("review-x", { RELEASE_REPLICAS: "many" }), /RELEASE_REPLICAS/);
    await assert.rejects(
      rendered("review-x", { RELEASE_REPLICAS: "20" }),
      /^Error: The database allows 97 connections/,
    );
    assert.equal(printed, "");
  });
});
