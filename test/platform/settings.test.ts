import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { company } from "../../config/company";
import { type PlatformSettings, settingsFaults } from "../../platform/settings";
import { settings } from "../support/platform";

const faults = (change: Partial<PlatformSettings>) => settingsFaults({ ...settings, ...change });

describe("the platform's settings", () => {
  it("are good as the tests use them", () => {
    assert.deepEqual(settingsFaults(settings), []);
  });

  it("refuse wildcards in what is trusted", () => {
    const { circleci } = settings;
    assert.deepEqual(faults({ circleci: { ...circleci, vcsOrigin: "github.com/example/*" } }), [
      'vcsOrigin must be as github.com/organization/repository, got "github.com/example/*"',
    ]);
    assert.match(faults({ circleci: { ...circleci, projectId: "x" } }).join(), /must be a UUID/);
  });

  it("refuse one key for review stacks and production, and an environment without key", () => {
    const { prod, staging } = settings.stateKeyArns;
    assert.ok(prod !== undefined && staging !== undefined);
    const wrong = /^stateKeyArns must be the ARN of a KMS key, .* and one of its own/;
    assert.match(faults({ stateKeyArns: { prod, review: prod, staging } }).join(), wrong);
    assert.match(faults({ stateKeyArns: { prod, staging } }).join(), wrong);
  });

  it("refuse an environment in two clusters, and one that there is not", () => {
    const [staging] = settings.clusters;
    assert.ok(staging !== undefined);
    assert.match(
      faults({ clusters: [staging, { ...staging, name: "other" }] }).join(),
      /clusters must be clusters with each environment once/,
    );
    const environments = ["production" as "prod"];
    assert.match(
      faults({ clusters: [{ ...staging, environments }] }).join(),
      /clusters must be a list of objects of name and environments \(review, staging, prod\)/,
    );
  });

  it("refuse one namespace for staging and production", () => {
    assert.match(
      faults({ namespaces: { prod: "orders", staging: "orders" } }).join(),
      /^stagingNamespace must be a DNS label of its own/,
    );
  });

  it("name every fault at once", () => {
    assert.equal(faults({ productionAccountId: "1", stateBucket: "A" }).length, 2);
  });

  /** What is committed, by key. */
  const committed = (): Readonly<Record<string, unknown>> => {
    const file = join(__dirname, "..", "..", "platform", "Pulumi.shared.yaml");
    const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
    const keys = Object.entries(config).filter(([key]) => key !== "aws:region");
    return Object.fromEntries(keys.map(([key, value]) => [key.split(":")[1] ?? "", value]));
  };

  it("have no key in the committed config that nobody reads", () => {
    const root = join(__dirname, "..", "..", "platform");
    const read = readFileSync(join(root, "settings.ts"), "utf8");
    for (const key of Object.keys(committed())) assert.ok(read.includes(`"${key}"`), key);
  });

  it("say of review stacks what the program says of them", () => {
    const { reviewDomain, reviewIngressCidrs } = committed();
    assert.equal(reviewDomain, company.reviewDomain);
    assert.deepEqual(
      reviewIngressCidrs,
      company.reviewIngressFrom.map(({ ipBlock }) => ipBlock.cidr),
    );
  });
});
