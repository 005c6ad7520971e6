import assert from "node:assert/strict";
import { releaseLabels } from "../../components/conventions/labels";
import { messages } from "../../policy/policies";
import { knownRegistries } from "../../policy/registries";
import type { Rule } from "../../policy/rules/rule";
import { rules } from "../../policy/rules";
import { identity } from "../support/fixtures";
import { type Program, breaks, broken, config, program } from "../support/objects";

const known = knownRegistries({ config, env: {}, stack: "staging" });
const all = rules(known);

function said(stack: string, objects: Program, some: readonly Rule[] = all): readonly string[] {
  return some.flatMap((rule) =>
    Object.values(objects).flatMap((given) => {
      const urn = `urn:pulumi:${stack}::services-orders::${given.type}::${given.name}`;
      return messages(rule, { ...given, urn } as never, []);
    }),
  );
}

describe("the rules", () => {
  for (const stack of ["local", "review-x", "staging", "prod", "prod-canary"]) {
    it(`have nothing to say about a program that is fit for stack ${stack}`, () => {
      assert.deepEqual(said(stack, program(stack)), []);
    });
  }

  it("are each broken by a program below", () => {
    assert.deepEqual(Object.keys(breaks).sort(), all.map(({ name }) => name).sort());
  });

  for (const rule of all) {
    const others = all.filter((other) => other !== rule);
    for (const one of breaks[rule.name] ?? []) {
      it(`stop ${one.message.split(";")[0] ?? ""}, and only ${rule.name} does`, () => {
        const { stack = "staging" } = one;
        assert.ok(said(stack, broken(one), [rule]).includes(one.message));
        assert.deepEqual(said(stack, broken(one), others), []);
      });
    }
  }

  it("look into every kind that runs pods", () => {
    const spec = { containers: [{ image: "busybox", name: "x" }] };
    const template = { spec };
    const kinds = {
      "apps/v1:DaemonSet": { spec: { template } },
      "apps/v1:Deployment": { spec: { template } },
      "apps/v1:ReplicaSet": { spec: { template } },
      "apps/v1:StatefulSet": { spec: { template } },
      "batch/v1:CronJob": { spec: { jobTemplate: { spec: { template } } } },
      "batch/v1:Job": { spec: { template } },
      "core/v1:Pod": { spec },
      "core/v1:PodTemplate": { template },
      "core/v1:ReplicationController": { spec: { template } },
    };
    for (const [kind, props] of Object.entries(kinds)) {
      const given = { name: "x", opts: { protect: false }, props, type: `kubernetes:${kind}` };
      const broken = all.filter((rule) => said("staging", { given } as never, [rule]).length > 0);
      assert.deepEqual(
        broken.map(({ name }) => name).filter((name) => name !== "cron-job-bounded"),
        ["image-digest", "image-registry", "resources-set", "non-root", "no-privilege-escalation"],
        kind,
      );
    }
  });

  it("find the node's directory behind a PersistentVolume", () => {
    const props = { spec: { hostPath: { path: "/data" } } };
    const type = "kubernetes:core/v1:PersistentVolume";
    const given = { name: "x", opts: { protect: false }, props, type };
    assert.match(said("local", { given } as never).join(), /^PersistentVolume "x": spec.hostPath/);
  });

  it("let a load balancer be in staging, and a Secret in a review stack", () => {
    const objects = program("staging");
    objects.service.props.spec.type = "LoadBalancer";
    assert.deepEqual(said("staging", objects), []);
    const review = program("review-x");
    const secret = { ...review.configMap, type: "kubernetes:core/v1:Secret" };
    assert.deepEqual(said("review-x", { secret } as never), []);
  });

  it("find the secrets of variables and files by their form, and print none", () => {
    const objects = program("staging");
    const { props } = objects.configMap;
    props.data = { "key.pem": "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----" };
    const [container] = objects.deployment.props.spec.template.spec.containers;
    container.env = [{ name: "PARTNER", value: "https://ada:hunter2@partner.example.com" }];
    const lines = said("staging", objects).join("\n");
    assert.match(lines, /data\.key\.pem must not hold a secret/);
    assert.match(lines, /must not hold the value of PARTNER/);
    assert.doesNotMatch(lines, /TUlJ|hunter2/);
  });

  it("know every label that changes with a release", () => {
    const one = releaseLabels(identity, { branch: "one", commit: "1".repeat(40) });
    const two = releaseLabels(identity, { branch: "two", commit: "2".repeat(40) });
    for (const label of Object.keys(one).filter((key) => one[key] !== two[key])) {
      const objects = program("staging");
      objects.service.props.spec.selector[label] = "x";
      assert.equal(said("staging", objects).length, 1, label);
    }
  });
});
