import assert from "node:assert/strict";
import { type CiRoleName, ciRoles } from "../../components/conventions/ci-roles";
import { type Targets, permissions } from "../../platform/permissions";
import { textMatchesGolden } from "../support/golden";

const targets: Targets = {
  clusterArns: ["cluster"],
  keyArns: { prod: "prod-key", review: "review-key", staging: "staging-key" },
  repositoryArn: "repository",
  reviewRepositoryArn: "review-repository",
  stateBucket: "bucket",
};

/**
 * Resources of an AWS account that has only production: one KMS key, and no image repositories.
 */
const production: Targets = {
  ...targets,
  keyArns: { prod: "prod-key" },
  repositoryArn: undefined,
  reviewRepositoryArn: undefined,
};

/**
 * Whether a role may perform an action on a resource. This function expects that every statement
 * has the effect `Allow`. In the resources of a statement, `*` matches any text.
 */
function may(ciRole: CiRoleName, action: string, resource: string): boolean {
  const matches = (pattern: string) =>
    pattern === "*" ||
    new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, "[^]*")}$`).test(
      resource,
    );
  return permissions(ciRole, targets).some(
    ({ Action, Resource }) => Action.includes(action) && Resource.some(matches),
  );
}

/** Returns the roles that may perform an action on a resource. */
const who = (action: string, resource: string) =>
  ciRoles.filter((ciRole) => may(ciRole, action, resource));

const state = (prefix: string, stack: string) =>
  `arn:aws:s3:::bucket/${prefix}/.pulumi/stacks/services-orders/${stack}.json`;
const lock = (stack: string, name = "1.json") =>
  `arn:aws:s3:::bucket/environments/.pulumi/locks/organization/services-orders/${stack}/${name}`;

/**
 * Returns one line for each combination of a role, an action and a resource in the permissions of
 * the roles.
 */
function tableOf(account: Targets): string {
  const rows = ciRoles.flatMap((ciRole) =>
    permissions(ciRole, account).flatMap(({ Action, Resource }) =>
      Action.flatMap((action) => Resource.map((resource) => [ciRole, action, resource] as const)),
    ),
  );
  const lines = rows.map(
    ([ciRole, action, resource]) => `${ciRole.padEnd(14)}  ${action.padEnd(31)}  ${resource}`,
  );
  return `${[...new Set(lines)].sort().join("\n")}\n`;
}

describe("the permissions", () => {
  it("are the table that people have reviewed: role, action, resource", () => {
    textMatchesGolden("permissions.txt", tableOf(targets));
  });

  it("let review jobs push to the review repository, and staging to its own", () => {
    assert.deepEqual(who("ecr:UploadLayerPart", "review-repository"), ["review"]);
    assert.deepEqual(who("ecr:UploadLayerPart", "repository"), ["staging"]);
  });

  it("let staging put the tag of a release where it pushed the image", () => {
    assert.deepEqual(who("ecr:PutImage", "repository"), ["staging"]);
    assert.deepEqual(who("ecr:PutImage", "review-repository"), ["review"]);
  });

  it("let production ask whether an image exists, and neither pull nor change one", () => {
    const ofImages = (account: Targets): readonly string[] =>
      permissions("prod", account)
        .flatMap(({ Action }) => Action)
        .filter((action) => action.startsWith("ecr:"));
    assert.deepEqual(ofImages(targets), ["ecr:GetAuthorizationToken", "ecr:BatchGetImage"]);
    assert.deepEqual(ofImages(production), []);
  });

  it("say nothing about what another account has", () => {
    const ofAccount = (["preview", "prod", "canary-removal"] as const).flatMap((ciRole) =>
      permissions(ciRole, production),
    );
    for (const { Resource, Sid } of ofAccount) assert.ok(Resource.length > 0, Sid);
    assert.deepEqual(
      ofAccount.filter(({ Resource }) => Resource.includes("*")),
      [],
    );
    const ofReviews = permissions("preview", { ...targets, keyArns: { review: "review-key" } });
    for (const { Resource, Sid } of ofReviews) assert.ok(Resource.length > 0, Sid);
  });

  it("let no role delete an image", () => {
    assert.deepEqual(who("ecr:BatchDeleteImage", "repository"), []);
    assert.deepEqual(who("ecr:BatchDeleteImage", "review-repository"), []);
  });

  it("let each stack's state be written by its own role", () => {
    assert.deepEqual(who("s3:PutObject", state("environments", "staging")), ["staging"]);
    assert.deepEqual(who("s3:PutObject", state("environments", "prod")), ["prod"]);
    assert.deepEqual(who("s3:PutObject", state("environments", "prod-canary")), [
      "prod",
      "canary-removal",
    ]);
    assert.deepEqual(who("s3:PutObject", state("review", "review-x")), ["review"]);
    assert.deepEqual(who("s3:DeleteObject", lock("prod")), ["prod"]);
  });

  it("let the record of a CircleCI job be written, read and removed by the roles that take the lock", () => {
    for (const name of ["1.json", "circleci/1.json"]) {
      for (const action of ["s3:PutObject", "s3:DeleteObject"]) {
        assert.deepEqual(who(action, lock("staging", name)), ["staging"]);
        assert.deepEqual(who(action, lock("prod-canary", name)), ["prod", "canary-removal"]);
      }
      // In addition to the stack's own role, the role `preview` reads locks, because the preview of
      // `unlock` shows who holds a lock.
      const readers = who("s3:GetObject", lock("staging", name));
      assert.deepEqual(readers, ["preview", "staging"]);
    }
  });

  it("hide the state of staging and production from review jobs", () => {
    const readers = ciRoles.filter((one) => !one.startsWith("review") && one !== "notifier");
    assert.deepEqual(who("s3:GetObject", state("environments", "prod")), readers);
    assert.deepEqual(who("s3:GetObject", state("environments", "staging")), readers);
  });

  it("let only the job notifier write the list of reported runs, and no role delete the list", () => {
    const memory = "arn:aws:s3:::bucket/environments/notifier/services-orders/prod.json";
    assert.deepEqual(who("s3:PutObject", memory), ["notifier"]);
    assert.deepEqual(who("s3:DeleteObject", memory), []);
    const readers = ciRoles.filter((ciRole) => !ciRole.startsWith("review"));
    assert.deepEqual(who("s3:GetObject", memory), readers);
  });

  it("let a state be opened only by its own role, by previews, and by the role that removes its canary", () => {
    assert.deepEqual(who("kms:Decrypt", "prod-key"), ["preview", "prod", "canary-removal"]);
    assert.deepEqual(who("kms:Decrypt", "staging-key"), ["preview", "staging"]);
    assert.deepEqual(who("kms:Encrypt", "prod-key"), ["prod"]);
    assert.deepEqual(who("kms:Encrypt", "staging-key"), ["staging"]);
  });

  it("show old states to their own role only, and production's updates to previews too", () => {
    const history = (stack: string, kind: string) =>
      `arn:aws:s3:::bucket/environments/.pulumi/history/services-orders/${stack}/${stack}-1.${kind}.json`;
    assert.deepEqual(who("s3:GetObject", history("prod", "checkpoint")), ["prod"]);
    assert.deepEqual(who("s3:GetObject", history("staging", "checkpoint")), ["staging"]);
    assert.deepEqual(who("s3:GetObject", history("prod", "history")), ["preview", "prod"]);
    assert.deepEqual(who("s3:GetObject", history("staging", "history")), ["staging"]);
    const meta = "arn:aws:s3:::bucket/environments/.pulumi/meta.yaml";
    const readers = ciRoles.filter((one) => !one.startsWith("review") && one !== "notifier");
    assert.deepEqual(who("s3:GetObject", meta), readers);
  });

  it("show who holds a lock to previews too, and let only the stack's own role remove it", () => {
    assert.deepEqual(who("s3:GetObject", lock("prod")), ["preview", "prod"]);
    assert.deepEqual(who("s3:GetObject", lock("staging")), ["preview", "staging"]);
    assert.deepEqual(who("s3:DeleteObject", lock("staging")), ["staging"]);
  });

  it("let the removal of review stacks delete their objects, and nothing else of the backend", () => {
    const removers = ["review", "review-removal"];
    const at = (path: string) => `arn:aws:s3:::bucket/review/.pulumi/${path}`;
    for (const object of [
      "stacks/services-orders/review-x.json.bak",
      "history/services-orders/review-x/review-x-1.history.json",
      "backups/services-orders/review-x/review-x.1.json",
      "locks/organization/services-orders/review-x/circleci/1.json",
    ]) {
      assert.deepEqual(who("s3:DeleteObject", at(object)), removers, object);
    }
    assert.deepEqual(who("s3:DeleteObject", at("meta.yaml")), ["review"]);
    assert.deepEqual(who("s3:DeleteObject", at("stacks/services-orders/prod.json")), ["review"]);
  });

  it("show the state of review stacks to their own jobs only: production reads nothing that a branch wrote", () => {
    assert.deepEqual(who("kms:Decrypt", "review-key"), ["review"]);
    assert.deepEqual(who("kms:Encrypt", "review-key"), ["review"]);
    assert.deepEqual(who("s3:GetObject", state("review", "review-x")), ["review"]);
    const tags = state("review", "review-x").replace(/json$/, "pulumi-tags");
    assert.deepEqual(who("s3:GetObject", tags), ["review", "review-removal"]);
  });

  it("let previews change nothing", () => {
    const actions = permissions("preview", targets).flatMap(({ Action }) => Action);
    assert.deepEqual(actions, [
      "eks:DescribeCluster",
      "ecr:GetAuthorizationToken",
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "s3:ListBucket",
      "s3:GetObject",
      "s3:GetObject",
      "s3:GetObject",
      "kms:Decrypt",
    ]);
  });

  it("name resources, and none but the registry's login for all", () => {
    const everything = ciRoles
      .flatMap((ciRole) => permissions(ciRole, targets))
      .filter(({ Resource }) => Resource.includes("*"));
    assert.deepEqual(new Set(everything.map(({ Sid }) => Sid)), new Set(["RegistryLogin"]));
    const wild = ciRoles
      .flatMap((ciRole) => permissions(ciRole, targets))
      .flatMap(({ Action }) => Action)
      .filter((action) => action.includes("*"));
    assert.deepEqual(wild, []);
  });
});
