import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentNames, environments, parseStack, stackForms } from "../environments";

describe("the table of environments", () => {
  it("names every stack that there may be", () => {
    assert.equal(stackForms, "local, review-<slug>, staging, prod, prod-canary");
  });

  it("gives each environment one stack, except that of branches", () => {
    for (const name of environmentNames.filter((one) => !environments[one].perBranch)) {
      const { canaryOf } = environments[name];
      const stack = canaryOf === undefined ? name : `${canaryOf}-${name}`;
      assert.deepEqual(parseStack(stack), { environment: name, slug: canaryOf ?? name });
    }
  });
});

// This test follows docs/checklists/add-an-environment.md in a copy of the project.
describe("an environment that is added", () => {
  const home = process.cwd();
  let copy: string;
  before(() => {
    copy = mkdtempSync(join(tmpdir(), "environment-"));
    for (const part of [
      ...["components", "config", "policy", "program", "settings", "test/support"],
      ...["environments.ts", "index.ts", "jobs.ts", "package.json", "tsconfig.json"],
    ]) {
      cpSync(join(home, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(home, "node_modules"), join(copy, "node_modules"));
    const table = join(copy, "environments.ts");
    const row = `  qa: {
    clusterIdentity: "aws",
    data: "given",
    image: "built",
    jobs: "run",
    perBranch: false,
    protect: false,
    protectedBranch: true,
    seeds: false,
    settingsOf: "staging",
  },
`;
    const text = readFileSync(table, "utf8");
    writeFileSync(table, text.replace("  prod: {\n", `${row}  prod: {\n`));
    const config = ["databaseHost: db.qa.example.com", "domain: example.com"];
    const lines = config.map((line) => `  services-orders:${line}\n`);
    writeFileSync(join(copy, "Pulumi.qa.yaml"), `config:\n${lines.join("")}`);
  });
  after(() => {
    rmSync(copy, { force: true, recursive: true });
  });

  it("needs a row in the table and a file of its stack, and nothing else", () => {
    const args = ["--import", "tsx", "test/support/run-stack.ts", "qa"];
    const { issues, settings, types } = JSON.parse(
      execFileSync(process.execPath, args, { cwd: copy, encoding: "utf8" }),
    );
    assert.deepEqual(issues, []);
    assert.equal(settings.environment, "qa");
    assert.equal(settings.host, "services-orders.qa.example.com");
    assert.equal(settings.namespace, "services-orders-qa");
    assert.equal(settings.replicas, 2);
    assert.deepEqual([...new Set(types)].sort(), [
      "docker-build:index:Image",
      "kubernetes:apps/v1:Deployment",
      "kubernetes:batch/v1:CronJob",
      "kubernetes:core/v1:Namespace",
      "kubernetes:core/v1:PodTemplate",
      "kubernetes:core/v1:Service",
      "kubernetes:core/v1:ServiceAccount",
      "kubernetes:networking.k8s.io/v1:Ingress",
      "kubernetes:policy/v1:PodDisruptionBudget",
      "pulumi:providers:kubernetes",
    ]);
  });
});
