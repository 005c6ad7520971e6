import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { parse } from "yaml";
import { deployProject } from "../../config/circleci";
import { company } from "../../config/company";
import { environmentsOf, platformSettings, table } from "../../platform/settings";
import { configOf } from "../../settings";
import { deployProjectId, settings } from "../support/platform";

const project = "services-orders-platform";

/** Id of the deploy project, if config/circleci.ts has a deploy project. */
const circleciDeployProjectId = deployProject === undefined ? undefined : deployProjectId;

/** Configuration with the same values as the settings in test/support/platform.ts. */
const good: Readonly<Record<string, unknown>> = {
  circleciDeployProjectId,
  circleciOrganizationId: settings.circleci.organizationId,
  circleciProjectId: settings.circleci.projectId,
  clusters: settings.clusters,
  reviewIngressCidrs: settings.review.ingressCidrs,
  stateBucket: settings.stateBucket,
  stateKeyArns: settings.stateKeyArns,
  vcsOrigin: settings.circleci.vcsOrigin,
};

function read(change: Readonly<Record<string, unknown>>) {
  const given = Object.entries({ ...good, ...change }).filter(([, value]) => value !== undefined);
  const config = Object.fromEntries(given.map(([key, value]) => [`${project}:${key}`, value]));
  return platformSettings(configOf({ config }), "shared");
}

/** Returns the lines of the error. Empty if the settings are good. */
function issues(change: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    read(change);
    return [];
  } catch (error) {
    assert.ok(RunError.isInstance(error));
    const [first, ...lines] = error.message.split("\n- ");
    assert.equal(first, "Settings of the platform:");
    return lines;
  }
}

describe("the platform's settings", () => {
  it("are good as the tests use them", () => {
    const circleci = { ...settings.circleci, deployProjectId: circleciDeployProjectId };
    assert.deepEqual(read({}), { ...settings, circleci });
  });

  it("refuse a deploy project that only one of the two files names", () => {
    const other = circleciDeployProjectId === undefined ? deployProjectId : undefined;
    assert.match(
      issues({ circleciDeployProjectId: other }).join(),
      /:circleciDeployProjectId must be set if config.* names a deploy project, and only then/,
    );
  });

  it("refuse wildcards in what is trusted", () => {
    assert.deepEqual(issues({ vcsOrigin: "github.com/example/*" }), [
      `${project}:vcsOrigin must be a repository, such as github.com/organization/repository, got "github.com/example/*"; fix it in platform/Pulumi.shared.yaml`,
    ]);
    assert.match(issues({ circleciProjectId: "x" }).join(), /must be a UUID/);
  });

  it("refuse one key for review stacks and production, and an environment without key", () => {
    const { prod, staging } = settings.stateKeyArns;
    assert.ok(prod !== undefined && staging !== undefined);
    const wrong = /:stateKeyArns must have a different KMS key for each environment \(.*\)/;
    assert.match(issues({ stateKeyArns: { prod, review: prod, staging } }).join(), wrong);
    assert.match(issues({ stateKeyArns: { prod, staging } }).join(), wrong);
    const alias = "arn:aws:kms:eu-central-1:111122223333:alias/prod";
    assert.match(
      issues({ stateKeyArns: { ...settings.stateKeyArns, prod: alias } }).join(),
      /:stateKeyArns\.prod must be the ARN of a KMS key, not of an alias, got/,
    );
  });

  it("refuse an environment in two clusters, and an unknown one", () => {
    const [staging] = settings.clusters;
    assert.ok(staging !== undefined);
    assert.match(
      issues({ clusters: [staging, { ...staging, name: "other" }] }).join(),
      /:clusters must contain each environment only once, got review, staging, review, staging/,
    );
    assert.match(
      issues({ clusters: [{ ...staging, environments: ["production"] }] }).join(),
      /:clusters\[0\]\.environments\[0\] must be review or staging or prod, got "production"/,
    );
    for (const clusters of [[], [{ ...staging, environments: [] }]]) {
      assert.equal(issues({ clusters }).length, 1);
    }
  });

  it("take IAM roles of people, and refuse another list, and an ARN of something else", () => {
    const developer = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/Developer_0a";
    const people = { developers: [developer] };
    assert.deepEqual(read({ people }).people, people);
    assert.deepEqual(issues({ people: { developers: ["arn:aws:iam::1:user/ada"] } }), [
      `${project}:people.developers[0] must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/Developer, got "arn:aws:iam::1:user/ada"; fix it in platform/Pulumi.shared.yaml`,
    ]);
    assert.match(
      issues({ people: { developer: [developer] } }).join(),
      /:people.* must be an object of lists with ARNs of IAM roles: developers, productionReaders/,
    );
  });

  it("refuse one namespace for staging and production", () => {
    assert.match(
      issues({ prodNamespace: "orders", stagingNamespace: "orders" }).join(),
      /:stagingNamespace must not be production's namespace, got "orders"/,
    );
  });

  it("name every issue in one message, a missing setting too", () => {
    assert.equal(issues({ productionAccountId: "1", stateBucket: "A" }).length, 2);
    assert.deepEqual(issues({ stateBucket: undefined, vcsOrigin: undefined }), [
      `${project}:stateBucket must be set to the name of an S3 bucket; add it to platform/Pulumi.shared.yaml`,
      `${project}:vcsOrigin must be set to a repository, such as github.com/organization/repository; add it to platform/Pulumi.shared.yaml`,
    ]);
  });

  it("refuse an unknown key, and a secret without its value", () => {
    assert.deepEqual(issues({ stateBuckets: "x", vcsOrigin: { secure: "v1:abc" } }), [
      'Unknown setting "stateBuckets". Did you mean "stateBucket"?',
      `${project}:vcsOrigin is stored with --secret, but Pulumi's configuration must not contain secrets: if the value is not secret, store it without --secret; if it is secret, put it into a Secret of the cluster`,
    ]);
  });

  const file = join(__dirname, "..", "..", "platform", "Pulumi.shared.yaml");
  const committed = () => configOf(parse(readFileSync(file, "utf8")) as { config: unknown });

  it("are good as they are committed, without a key that no code reads", () => {
    assert.deepEqual(environmentsOf(platformSettings(committed(), "shared")), [
      "review",
      "staging",
      "prod",
    ]);
  });

  it("say of review stacks what the program says of them, in config/ only", () => {
    const { review } = platformSettings(committed(), "shared");
    assert.equal(review.domain, company.reviewDomain);
    assert.deepEqual(
      review.ingressCidrs,
      company.reviewIngressFrom.map(({ ipBlock }) => ipBlock.cidr),
    );
    for (const key of ["reviewDomain", "reviewIngressCidrs"]) {
      assert.ok(!(`${project}:${key}` in committed()));
    }
  });

  it("are described in alphabetical order", () => {
    const keys = Object.keys(table);
    assert.deepEqual(keys, [...keys].sort());
    for (const { allowed, description } of Object.values(table)) {
      assert.ok(allowed.length > 5 && description.endsWith("."));
    }
  });
});
