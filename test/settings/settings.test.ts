import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { runtime } from "@pulumi/pulumi";
import { parse } from "yaml";
import { company } from "../../config/company";
import {
  type Outside,
  SettingsError,
  canaryConfig,
  configOf,
  readGit,
  settingsFrom,
} from "../../settings";
import { runtimeConfig } from "../../settings/running";
import { type Setting, parseText } from "../../settings/setting";
import { table } from "../../settings/table";
import { environmentNames, environments } from "../../environments";
import { Repository, digest } from "../support/fixtures";

const base: Outside = {
  config: {},
  env: { SANDBOX_REGISTRY: "localhost:5000" },
  git: { branch: "add-export", commit: "0123456789".repeat(4) },
  stack: "local",
};
const of = (more: Partial<Outside> = {}) => settingsFrom({ ...base, ...more });

function refusal(more: Partial<Outside>): string {
  try {
    of(more);
    return "";
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.message;
  }
}

const cloud = {
  "services-orders:databaseHost": "db.example.com",
  "services-orders:domain": "example.com",
};

describe("settings", () => {
  it("of local need no configuration", () => {
    const settings = of();
    assert.equal(settings.namespace, "services-orders-local");
    assert.equal(settings.host, "services-orders.localhost");
    assert.equal(settings.imageRepository, "localhost:5000/services-orders");
    assert.equal(settings.replicas, 2);
    assert.equal(settings.tls, false);
    assert.match(settings.databaseImageRef, /^postgres@sha256:/);
    assert.deepEqual(settings.requests, { cpu: "250m", memory: "512Mi" });
    assert.equal(settings.identity.instance, "services-orders-local");
  });

  it("of a review stack have its slug in namespace, host and labels", () => {
    const settings = of({ config: cloud, stack: "review-add-export" });
    assert.equal(settings.namespace, "services-orders-review-add-export");
    assert.equal(settings.host, "services-orders-add-export.example.com");
    assert.equal(settings.replicas, 1);
    assert.deepEqual(settings.identity, {
      app: "services-orders-add-export",
      environment: "review",
      instance: "services-orders-add-export",
      protectedBranch: false,
      service: "services-orders",
    });
  });

  it("of the canary share namespace and instance with production, and are not protected", () => {
    const prod = of({ config: cloud, stack: "prod" });
    const canary = of({ config: cloud, stack: "prod-canary" });
    assert.equal(prod.namespace, "services-orders");
    assert.equal(prod.replicas, 3);
    assert.equal(prod.identity.protectedBranch, true);
    assert.equal(canary.namespace, prod.namespace);
    assert.deepEqual(canary.identity, { ...prod.identity, protectedBranch: false });
  });

  it("come from config first, then from the environment, then from the kind of stack", () => {
    const env = { ...base.env, SANDBOX_INGRESS_PORT: "8080" };
    assert.equal(of().publicPort, undefined);
    assert.equal(of({ env }).publicPort, 8080);
    const config = { "services-orders:publicPort": "9090" };
    assert.equal(of({ config, env }).publicPort, 9090);
  });

  it("take an empty variable for an unset one", () => {
    assert.equal(of({ env: { ...base.env, SANDBOX_BASE_IMAGE: "" } }).baseImageRef, undefined);
  });

  it("read lists and objects", () => {
    const config = {
      "services-orders:platforms": '["linux/amd64","linux/arm64"]',
      "services-orders:requests": '{"cpu":"1"}',
    };
    assert.deepEqual(of({ config }).platforms, ["linux/amd64", "linux/arm64"]);
    assert.deepEqual(of({ config }).requests, { cpu: "1", memory: "512Mi" });
    const listed = { "services-orders:platforms": "linux/arm64, linux/amd64" };
    assert.deepEqual(of({ config: listed }).platforms, ["linux/arm64", "linux/amd64"]);
    const registries = { "services-orders:registries": '["registry:5000","ghcr.io/team"]' };
    assert.deepEqual(of({ config: registries }).registries, ["registry:5000", "ghcr.io/team"]);
  });

  it("leave other namespaces' configuration to their owners", () => {
    assert.equal(refusal({ config: { "kubernetes:context": "x" } }), "");
  });

  it("refuse unknown keys and wrong values in one message, with the nearest key and what is allowed", () => {
    const config = { "services-orders:replica": "3", "services-orders:tls": "yes" };
    const env = { ...base.env, SANDBOX_INGRESS_PORT: "http" };
    assert.equal(
      refusal({ config, env }),
      [
        'Stack "local" cannot be used:',
        '- Unknown setting "replica". Did you mean "replicas"?',
        '- SANDBOX_INGRESS_PORT (publicPort) must be a port from 1 to 65535, got "http"; fix the variable',
        '- services-orders:tls must be true or false, got "yes"; fix it in Pulumi.local.yaml',
      ].join("\n"),
    );
  });

  const wrong: Readonly<Record<keyof typeof table, string>> = {
    baseImageRef: "base:latest",
    branch: "two words",
    builder: "-x",
    callersAuthenticatedBy: " ",
    canaryDatabaseSecretName: "A_b",
    clusterUid: "uid",
    context: "two words",
    databaseConnections: "0",
    databaseHost: "db.example.com:5432",
    databaseImageRef: "postgres:17",
    databaseName: "Orders",
    databasePort: "65536",
    databaseSecretName: "A_b",
    databaseSslMode: "allow",
    databaseTo: "[1]",
    domain: "Example.com",
    datadogAgentTo: "[1]",
    dnsTo: "[1]",
    egressTo: '[{"ports":[]}]',
    eksCluster: '{"name":"prod"}',
    exportOutput: "s3://Bucket",
    exportRoleArn: "services-orders-export",
    hostPattern: "{branch}.example.com",
    imageRef: `registry/x:tag`,
    imageRepository: `registry/x@${digest}`,
    ingressClassName: "A B",
    ingressFrom: '[{"ipBlock":{"cidr":"10.0.0.0"}}]',
    ingressGroupName: "A",
    ingressPreset: "nginx",
    ingressScheme: "public",
    namespace: "a_b",
    platforms: "linux/s390x",
    publicPort: "0",
    quickRollout: "fast",
    quickStart: "yes",
    quota: '{"cpu":"2","memory":"4Gi"}',
    releaseCommit: "abc",
    releaseReason: "two\nlines",
    registries: "https://registry.example.com",
    replicas: "-1",
    requests: '{"cpus":"1"}',
    tls: "1",
    waitForIngress: "no",
  };
  /**
   * For settings whose value is a list or an object: the text of the error message after the name
   * of the setting. If the error is about one part of the value, the text begins with the path of
   * this part.
   */
  const wrongInside: Readonly<Record<string, string>> = {
    databaseTo: "[0] must be a NetworkPolicyPeer, got 1",
    datadogAgentTo: "[0] must be a NetworkPolicyPeer, got 1",
    dnsTo: "[0] must be a NetworkPolicyPeer, got 1",
    egressTo:
      "[0].ports must be a list of at least one port, got []; fix it in Pulumi.local.yaml\n" +
      '- services-orders:egressTo[0] must be a NetworkPolicyEgressRule with `to`, and optionally `ports` as numbers, got {"ports":[]}',
    eksCluster: ` must be ${table.eksCluster.allowed}, got {"name":"prod"}`,
    ingressFrom: '[0].ipBlock.cidr must be a network, such as 10.0.0.0/20, got "10.0.0.0"',
    quota: ` must be ${table.quota.allowed}, got {"cpu":"2","memory":"4Gi"}`,
    requests: ` must be ${table.requests.allowed}, got {"cpus":"1"}`,
  };
  for (const [key, value] of Object.entries(wrong)) {
    it(`refuse ${key} = ${value}, naming what is allowed`, () => {
      const { allowed } = table[key as keyof typeof table];
      const { [key]: inside = ` must be ${allowed}, got ${JSON.stringify(value)}` } = wrongInside;
      assert.equal(
        refusal({ config: { [`services-orders:${key}`]: value } }),
        `Stack "local" cannot be used:\n- services-orders:${key}${inside}; fix it in Pulumi.local.yaml`,
      );
    });
  }

  it("take rules of egress with ports that there are, and with none for all of them", () => {
    const to = [{ ipBlock: { cidr: "203.0.113.7/32" } }];
    const rule = (ports: unknown) => JSON.stringify([{ ports, to }]);
    const parse = (text: string) => parseText(table.egressTo, text).value;
    for (const port of [{ port: 1 }, { port: 65_535, protocol: "UDP" }]) {
      assert.deepEqual(parse(rule([port])), [{ ports: [port], to }]);
    }
    assert.deepEqual(parse(rule(undefined)), [{ to }]);
    const ports = [0, 65_536, 443.5, "443"].map((port) => ({ port }));
    for (const port of [...ports, {}, 443, { port: 443, protocol: "tcp" }, { port: 1, to: 9 }]) {
      assert.equal(parse(rule([port])), undefined, JSON.stringify(port));
    }
    // The settings must not accept an empty list of ports, because Kubernetes would then allow
    // every port.
    for (const none of [[], 443, null]) assert.equal(parse(rule(none)), undefined);
  });

  it("refuse what was stored with --secret, also a part of a value, and print no value of it", () => {
    const message = (key: string) =>
      `- services-orders:${key} is stored with --secret, but Pulumi's configuration must not contain secrets: ` +
      "if the value is not secret, store it without --secret; if it is secret, put it into a Secret of the cluster";
    const config = configOf({
      config: {
        "aws:secretKey": { secure: "v1:aws" },
        "services-orders:password": { secure: "v1:unknown" },
        "services-orders:quota": { memory: { secure: "v1:part" }, pods: 1 },
        "services-orders:replicas": { secure: "v1:whole" },
      },
    });
    assert.equal(
      refusal({ config }),
      ['Stack "local" cannot be used:', ...["password", "quota", "replicas"].map(message)].join(
        "\n",
      ),
    );
  });

  it("see a secret of plain pulumi, which hands it over in plain text", () => {
    const config = { "services-orders:builder": "s3cret", "services-orders:tls": "false" };
    const before = process.env["PULUMI_CONFIG_SECRET_KEYS"];
    runtime.setAllConfig(config);
    process.env["PULUMI_CONFIG_SECRET_KEYS"] = '["services-orders:builder"]';
    try {
      const message = refusal({ config: runtimeConfig() });
      assert.match(
        message,
        /^Stack "local" cannot be used:\n- services-orders:builder is stored with --secret/,
      );
      assert.doesNotMatch(message, /s3cret/);
    } finally {
      runtime.setAllConfig({});
      if (before === undefined) delete process.env["PULUMI_CONFIG_SECRET_KEYS"];
      else process.env["PULUMI_CONFIG_SECRET_KEYS"] = before;
    }
  });

  it("refuse any other stack name", () => {
    assert.equal(
      refusal({ stack: "production" }),
      'Unknown stack "production". Expected one of: local, review-<slug>, staging, prod, prod-canary.',
    );
  });

  it("refuse a stack without domain, database or image repository", () => {
    assert.equal(
      refusal({ env: {}, stack: "staging" }),
      [
        'Stack "staging" cannot be used:',
        "- services-orders:databaseHost must be set: this stack does not create a database",
        "- services-orders:domain must be set: services-orders:hostPattern contains {domain}",
      ].join("\n"),
    );
    assert.equal(
      refusal({ env: {} }),
      'Stack "local" cannot be used:\n- services-orders:imageRepository, services-orders:imageRef or the variable SANDBOX_REGISTRY must be set',
    );
    const imageRef = { "services-orders:imageRef": `x/y@${digest}` };
    assert.equal(refusal({ config: imageRef, env: {} }), "");
  });

  it("take a role of the exports only with the bucket that the role writes to", () => {
    const config = {
      "services-orders:exportRoleArn": "arn:aws:iam::123456789012:role/services-orders-export",
    };
    assert.equal(
      refusal({ config }),
      'Stack "local" cannot be used:\n- services-orders:exportOutput must be set: services-orders:exportRoleArn is the role that writes there',
    );
    const exportOutput = { "services-orders:exportOutput": "s3://example-orders-exports/nightly" };
    assert.equal(refusal({ config: { ...config, ...exportOutput } }), "");
    assert.match(
      refusal({ config: { "services-orders:exportOutput": "/tmp/exports" } }),
      /exportOutput must be a bucket and optionally a prefix, .*, got "\/tmp\/exports"/,
    );
  });

  it("of a review stack need nothing but the company's defaults", () => {
    const settings = of({ env: {}, stack: "review-add-export" });
    assert.equal(settings.host, `services-orders-add-export.${company.reviewDomain}`);
    assert.equal(settings.imageRepository, `${company.imageRepository}-review`);
    assert.deepEqual(settings.eksCluster, company.reviewCluster);
    assert.deepEqual(settings.ingressFrom, company.reviewIngressFrom);
    assert.equal(settings.ingressPreset, "eks-alb");
    assert.equal(settings.tls, true);
  });

  it("take none for a cluster and an ingress controller that do not belong to AWS", () => {
    const env = { SANDBOX_EKS_CLUSTER: "none", SANDBOX_INGRESS_PRESET: "none" };
    const settings = of({ env, stack: "review-add-export" });
    assert.equal(settings.eksCluster, undefined);
    assert.equal(settings.ingressPreset, undefined);
  });

  for (const stack of ["staging", "prod"]) {
    it(`of ${stack} are complete in its file, and so is the canary's for production`, () => {
      const { config } = parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")) as {
        config: Readonly<Record<string, unknown>>;
      };
      const texts = Object.fromEntries(
        Object.entries(config).map(([key, value]) => [
          key,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      );
      const settings = of({ config: texts, env: {}, stack });
      assert.equal(settings.eksCluster?.name, stack);
      assert.notEqual(settings.databaseHost, undefined);
      if (stack === "prod") {
        assert.equal(of({ config: texts, env: {}, stack: "prod-canary" }).host, settings.host);
      }
    });
  }

  it("refuse to run a branch in another branch's review stack", () => {
    assert.equal(
      refusal({ config: cloud, stack: "review-other" }),
      'Stack "review-other" cannot be used:\n- services-orders:branch must be the branch of this stack, got "add-export" (stack review-add-export)',
    );
    const git = { ...base.git, branch: "main" };
    assert.match(refusal({ config: cloud, git, stack: "review-other" }), /the name is reserved/);
  });
});

describe("the table of settings", () => {
  it("is in alphabetical order, and describes each key", () => {
    const keys = Object.keys(table);
    assert.deepEqual(keys, [...keys].sort());
    for (const { allowed, description } of Object.values(table)) {
      assert.ok(allowed.length > 5 && description.endsWith("."));
    }
  });

  it("has defaults that its own rules allow", () => {
    for (const environment of environmentNames) {
      const { settingsOf } = environments[environment];
      for (const [key, setting] of Object.entries<Setting>(table)) {
        const given = { env: base.env, environment: settingsOf, gitBranch: "x", slug: "x" };
        const value = setting.default(given);
        if (value === undefined) continue;
        const text = typeof value === "string" ? value : JSON.stringify(value);
        assert.deepEqual(parseText(setting, text).value, value, `${key} of ${environment}`);
      }
    }
  });
});

describe("readGit", () => {
  let files: Repository;
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      cwd: files.root,
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  const commit = (message: string): string => {
    git("add", "-A");
    git("commit", "-q", "-m", message);
    return git("rev-parse", "HEAD");
  };
  beforeEach(() => {
    files = new Repository(false);
  });
  afterEach(() => {
    files.remove();
  });

  it("knows nothing outside a repository, nor before the first commit", async () => {
    assert.deepEqual(await readGit(files.root), { branch: "unknown", commit: "unknown" });
    git("init", "-q", "-b", "main");
    assert.deepEqual(await readGit(files.root), { branch: "main", commit: "unknown" });
  });

  it("names the last commit that touched the image, not the last one", async () => {
    git("init", "-q", "-b", "feature/x");
    const first = commit("code");
    files.write("README.md", "words");
    commit("words");
    assert.deepEqual(await readGit(files.root), { branch: "feature/x", commit: first });
  });

  it("says when the image's inputs are not committed, and only then", async () => {
    git("init", "-q", "-b", "main");
    const first = commit("code");
    files.write("README.md", "words");
    assert.equal((await readGit(files.root)).commit, first);
    files.write("service/src/main/java/New.java", "new");
    assert.match((await readGit(files.root)).commit, new RegExp(`^${first}-dirty\\.[0-9a-f]{7}$`));
  });

  it("takes a commit without a branch for an unknown branch", async () => {
    git("init", "-q", "-b", "main");
    git("checkout", "-q", "--detach", commit("code"));
    assert.equal((await readGit(files.root)).branch, "unknown");
  });

  it("lets a canary inherit production's settings, except those that it sets itself", () => {
    const config = {
      "services-orders:branch": "main",
      "services-orders:eksCluster": { name: "prod", region: "eu-central-1" },
      "services-orders:imageRef": "x",
      "services-orders:releaseCommit": "x",
      "services-orders:releaseReason": "x",
      "services-orders:replicas": "3",
      "services-orders:requests": { cpu: "1", memory: "1Gi" },
      "services-orders:tls": "false",
    };
    assert.deepEqual(canaryConfig(configOf({ config })), {
      "services-orders:eksCluster": '{"name":"prod","region":"eu-central-1"}',
      "services-orders:requests": '{"cpu":"1","memory":"1Gi"}',
      "services-orders:tls": "false",
    });
  });
});
