import assert from "node:assert/strict";
import { Secret } from "@pulumi/policy";
import { secretsPreservingProxy } from "@pulumi/policy/secret";
import * as proxy from "@pulumi/policy/proxy";
import { company } from "../../config/company";
import { repositoryOf } from "../../policy/rules/images";
import { type Exception, exceptions } from "../../policy/exceptions";
import { policyOf } from "../../policy/policies";
import { knownRegistries } from "../../policy/registries";
import { rules } from "../../policy/rules";
import { digest } from "../support/fixtures";
import { type Given, config, program } from "../support/objects";

/**
 * Internal parts of Pulumi's policy SDK. The function `unknownCheckingProxy` wraps a resource's
 * inputs. The text `unknownStringValue` stands for a value that a preview cannot know.
 */
const { unknownCheckingProxy, unknownStringValue } = proxy as unknown as {
  readonly unknownCheckingProxy: (props: object) => object;
  readonly unknownStringValue: string;
};

const outside = { config, env: {}, stack: "staging" };
const all = rules(knownRegistries(outside));

/**
 * Passes a resource to the policy pack in the same way as the policy SDK does. Returns the
 * violations that the pack reports.
 */
function reported(given: Given, stack = "staging", excepted: readonly Exception[] = []): string[] {
  const urn = `urn:pulumi:${stack}::services-orders::${given.type}::${given.name}`;
  const lines: string[] = [];
  for (const rule of all) {
    const { remediateResource, validateResource } = policyOf(rule, excepted);
    const marked = unknownCheckingProxy(secretsPreservingProxy(given.props));
    assert.equal(remediateResource?.({ ...given, props: marked, urn } as never), undefined);
    const props = unknownCheckingProxy(given.props);
    assert.ok(typeof validateResource === "function");
    void validateResource({ ...given, props, urn } as never, (line) => lines.push(line));
  }
  return lines;
}

describe("the policy pack", () => {
  it("has rules that all stop a deployment", () => {
    for (const rule of all) {
      const { enforcementLevel } = policyOf(rule, []);
      assert.ok(enforcementLevel === "mandatory" || enforcementLevel === "remediate");
    }
  });

  it("waits for the update with what a preview cannot know, and judges all the rest", () => {
    const { deployment } = program("staging");
    const [container] = deployment.props.spec.template.spec.containers;
    container.image = unknownStringValue;
    container.resources.requests = unknownStringValue;
    assert.deepEqual(reported(deployment), []);
    container.securityContext = {};
    assert.match(reported(deployment).join(), /allowPrivilegeEscalation must be false/);
  });

  for (const [path, mark] of [
    ["data", (p: Given) => (p.props.data = new Secret({ token: "hunter2" }))],
    ["data.limits.json", (p: Given) => (p.props.data["limits.json"] = new Secret("hunter2"))],
    ["list[1]", (p: Given) => (p.props.list = ["x", new Secret(unknownStringValue)])],
  ] as const) {
    it(`finds a Pulumi secret at ${path}, and does not print it`, () => {
      const { configMap } = program("staging");
      mark(configMap);
      const [line = "", ...more] = reported(configMap);
      assert.deepEqual(more, []);
      assert.ok(line.startsWith(`ConfigMap "configMap": ${path} must not be a Pulumi secret`));
      assert.doesNotMatch(line, /hunter2/);
      assert.deepEqual(reported(configMap, "review-x"), []);
    });
  }

  it("excepts one object from one rule in the stacks that are named", () => {
    const { cronJob } = program("staging");
    delete cronJob.props.spec.concurrencyPolicy;
    const exception: Exception = {
      object: 'CronJob "cronJob"',
      reason: "a test",
      rule: "cron-job-bounded",
      stacks: ["staging"],
    };
    assert.equal(reported(cronJob).length, 1);
    assert.deepEqual(reported(cronJob, "staging", [exception]), []);
    assert.equal(reported(cronJob, "review-x", [exception]).length, 1);
    for (const other of [{ rule: "non-root" }, { object: 'CronJob "other"' }]) {
      assert.equal(reported(cronJob, "staging", [{ ...exception, ...other }]).length, 1);
    }
  });

  it("has no exception without a rule that exists, a reason and a stack", () => {
    for (const { reason, rule, stacks } of exceptions) {
      assert.ok(all.some(({ name }) => name === rule));
      assert.ok(reason.length > 20 && stacks.length > 0);
    }
  });
});

describe("known registries", () => {
  const database = "registry.example.com/mirror/postgres";

  const named = { ...config, "services-orders:databaseImageRef": `${database}@${digest}` };
  const own = "registry.example.com/orders";
  const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

  it("are the image's repository, and the ephemeral database's if a stack has one", () => {
    const of = (stack: string) => knownRegistries({ ...outside, config: named, stack });
    for (const stack of ["staging", "prod", "prod-canary"]) assert.deepEqual(of(stack), [own]);
    for (const stack of ["local", "review-x"]) assert.deepEqual(of(stack), [own, database]);
  });

  it("are the company's when a stack does not name others", () => {
    const others = Object.entries(config).filter(([key]) => !key.endsWith(":registries"));
    const known = knownRegistries({ ...outside, config: Object.fromEntries(others) });
    assert.deepEqual(known, [...company.registries, own]);
  });

  it("are all of the sandbox's registry in stack local", () => {
    const env = { SANDBOX_REGISTRY: "localhost:5000" };
    const local = { "services-orders:domain": "localhost" };
    assert.deepEqual(knownRegistries({ config: local, env, stack: "local" }), [
      "localhost:5000",
      "localhost:5000/services-orders",
      "docker.io/library/postgres",
    ]);
  });

  it("hold for all that is below them, and for nothing that only begins like them", () => {
    const [rule] = rules([ecr]).filter(({ name }) => name === "image-registry");
    const from = (image: string) => {
      const { props, type } = program("staging").deployment;
      const spec = { containers: [{ image: `${image}@${digest}` }] };
      const object = { kind: "Deployment", name: "x", protect: false, secretPaths: [] };
      props.spec.template.spec = spec;
      return rule?.check({ ...object, props, stack: "staging", type }).length;
    };
    assert.equal(from(`${ecr}/team/anything`), 0);
    assert.equal(from(`${ecr}.example.com/anything`), 1);
    assert.equal(from(`example.com/${ecr}/anything`), 1);
  });

  it("are an empty list when the settings are wrong, and the message says what is wrong with them", () => {
    const wrong = knownRegistries({ ...outside, config: { "services-orders:replica": "3" } });
    const [rule] = rules(wrong).filter(({ name }) => name === "image-registry");
    const { props } = program("staging").deployment;
    const object = { kind: "Deployment", name: "x", props, protect: false, secretPaths: [] };
    const type = "kubernetes:apps/v1:Deployment";
    const [broken] = rule?.check({ ...object, stack: "staging", type }) ?? [];
    assert.match(broken?.todo ?? "", /Unknown setting "replica"\. Did you mean "replicas"\?/);
  });

  const repositories = {
    "localhost:5000/orders": `localhost:5000/orders@${digest}`,
    "localhost/orders": "localhost/orders:1.0",
    "docker.io/library/postgres": `postgres:17@${digest}`,
    "docker.io/team/orders": "team/orders",
    "ghcr.io/team/orders": "ghcr.io/team/orders:1",
  };
  for (const [repository, imageRef] of Object.entries(repositories)) {
    it(`have ${repository} for ${imageRef}`, () => {
      assert.equal(repositoryOf(imageRef), repository);
    });
  }
});
