import assert from "node:assert/strict";
import { ownerLabels } from "../../components/conventions/labels";
import { matchesGolden } from "../support/golden";
import { type Recorder, record, settled, valueOf } from "../support/mocks";
import type { Environment, PlatformSettings } from "../../platform/settings";
import { deployProjectId, settings } from "../support/platform";
import program = require("../../platform/index");

async function run(change: Partial<PlatformSettings> = {}): Promise<Recorder> {
  const recorder = await record("shared", (token) =>
    token === "aws:eks/getCluster:getCluster"
      ? { arn: "arn:aws:eks:eu-central-1:111122223333:cluster/one" }
      : {},
  );
  const outputs = await program({ readSettings: () => ({ ...settings, ...change }) });
  await valueOf(outputs["roleArns"]);
  await settled();
  return recorder;
}

/**
 * Runs the platform program for an AWS account that has only these environments, all in one
 * cluster.
 */
const only = (...environments: Environment[]) => run({ clusters: [{ environments, name: "one" }] });
const names = (recorder: Recorder, type: string) =>
  recorder
    .all(type)
    .map(({ inputs, name }) => inputs.metadata?.name ?? name)
    .sort() as string[];

const roleType = "aws:iam/role:Role";
const policyType = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy";

describe("the platform", () => {
  it("is exactly what the golden manifest shows", async () => {
    matchesGolden("platform", await run());
  });

  it("labels every object of a cluster, so that an update adopts what a killed one has begun", async () => {
    const objects = (await run())
      .custom()
      .filter(({ type }) => type.startsWith("kubernetes:"))
      .map(({ inputs, type }) => ({ labels: inputs.metadata.labels ?? {}, type }));
    assert.ok(objects.length > 20);
    for (const { labels, type } of objects) {
      assert.deepEqual(
        ownerLabels.filter((label) => !(label in labels)),
        [],
        type,
      );
    }
  });

  it("has every role of CI jobs, and no role for an environment that is elsewhere", async () => {
    const all = [
      "canary-removal",
      "notifier",
      "preview",
      "prod",
      "review",
      "review-removal",
      "staging",
    ];
    const roles = async (...environments: Environment[]) =>
      names(await only(...environments), roleType).map((name) =>
        name.replace("services-orders-", ""),
      );
    assert.deepEqual(await roles("review", "staging", "prod"), all);
    assert.deepEqual(await roles("prod"), ["canary-removal", "notifier", "preview", "prod"]);
    assert.deepEqual(
      await roles("review", "staging"),
      all.filter((ciRole) => !["canary-removal", "prod"].includes(ciRole)),
    );
  });

  it("gives no access entry to the role of review jobs: their session's name would be their own choice", async () => {
    const recorder = await run();
    const entries = recorder.all("aws:eks/accessEntry:AccessEntry");
    assert.deepEqual(entries.map(({ inputs }) => inputs.principalArn).sort(), [
      "arn:services-orders-canary-removal",
      "arn:services-orders-notifier",
      "arn:services-orders-notifier",
      "arn:services-orders-preview",
      "arn:services-orders-preview",
      "arn:services-orders-prod",
      "arn:services-orders-staging",
    ]);
    const { oidc } = recorder.one("aws:eks/identityProviderConfig:IdentityProviderConfig").inputs;
    assert.equal(oidc.usernameClaim, "oidc.circleci.com/vcs-ref");
    assert.equal(oidc.requiredClaims["oidc.circleci.com/project-id"], settings.circleci.projectId);
  });

  it("knows the removal of review stacks by the role of the deploy project, and not by main's token", async () => {
    const recorder = await run({ circleci: { ...settings.circleci, deployProjectId } });
    const [entry] = recorder
      .all("aws:eks/accessEntry:AccessEntry")
      .filter(({ inputs }) => inputs.principalArn === "arn:services-orders-review-removal");
    assert.equal(entry?.inputs.userName, "services-orders:review-removal");
    const policies = JSON.stringify(recorder.all(policyType).map(({ inputs }) => inputs));
    assert.ok(policies.includes("services-orders:review-removal"));
    assert.ok(!policies.includes("refs/heads/main"));
  });

  describe("for people", () => {
    const developer = "arn:aws:iam::111122223333:role/Developer";
    const onCall = "arn:aws:iam::111122223333:role/sso/OnCall";
    const people = { developers: [developer, developer], productionReaders: [onCall, developer] };
    const roles = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole";
    const bindings = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding";
    /** Returns the access entries of people: cluster, IAM role and groups. */
    const entries = (recorder: Recorder) =>
      recorder
        .all("aws:eks/accessEntry:AccessEntry")
        .filter(({ inputs }) => [developer, onCall].includes(inputs.principalArn))
        .map(({ inputs }) =>
          [inputs.clusterName, inputs.principalArn, ...inputs.kubernetesGroups].join(" "),
        )
        .sort();
    const boundTo = (recorder: Recorder, group: string) =>
      recorder
        .all(bindings)
        .filter(({ inputs }) => inputs.subjects[0].name === group)
        .map(({ inputs }) => [inputs.metadata.namespace, inputs.roleRef.name]);

    it("has no access entry without the setting", async () => {
      assert.deepEqual(entries(await run()), []);
    });

    it("gives each IAM role its groups, where the environments of these groups are", async () => {
      assert.deepEqual(entries(await run({ people })), [
        `prod ${developer} services-orders:prod-reader`,
        `prod ${onCall} services-orders:prod-reader`,
        `staging ${developer} services-orders:developer`,
      ]);
      const clusters = [{ environments: ["review", "staging", "prod"] as const, name: "one" }];
      assert.deepEqual(entries(await run({ clusters, people })), [
        `one ${developer} services-orders:developer services-orders:prod-reader`,
        `one ${onCall} services-orders:prod-reader`,
      ]);
    });

    it("lets developers change nothing in production, and readers change nothing at all", async () => {
      const recorder = await run();
      assert.deepEqual(boundTo(recorder, "services-orders:developer"), [
        ["services-orders-staging", "services-orders-developer"],
      ]);
      assert.deepEqual(boundTo(recorder, "services-orders:prod-reader"), [
        ["services-orders", "services-orders-prod-reader"],
      ]);
      const rules = (name: string) =>
        recorder.one(roles, name).inputs.rules as { resources: string[]; verbs: string[] }[];
      const verbs = rules("prod-rights-prod-reader").flatMap((rule) => rule.verbs);
      assert.deepEqual([...new Set(verbs)].sort(), ["get", "list", "watch"]);
      const changes = rules("staging-rights-developer")
        .filter((rule) => rule.verbs.some((verb) => !["get", "list", "watch"].includes(verb)))
        .map((rule) => [...rule.resources, ...rule.verbs].join(" "));
      assert.deepEqual(changes, [
        "jobs create delete patch",
        "pods delete",
        "pods/portforward create get",
      ]);
    });

    it("starts no process in a pod of staging or production", async () => {
      const starters = (await run())
        .all(roles)
        .filter(({ inputs }) => /pods\/(exec|attach|ephemeral)/.test(JSON.stringify(inputs.rules)));
      assert.deepEqual(
        starters.map(({ name }) => name),
        ["staging-rights-review-namespace"],
      );
    });

    it("has no role of developers and no policy for them in production's own account", async () => {
      const recorder = await only("prod");
      assert.ok(!names(recorder, roles).includes("services-orders-developer"));
    });
  });

  it("leaves nothing of review stacks in production's own account", async () => {
    const recorder = await only("prod");
    assert.equal(recorder.all("aws:eks/identityProviderConfig:IdentityProviderConfig").length, 0);
    assert.deepEqual(names(recorder, policyType), ["services-orders-canary-removal"]);
    const bound = recorder
      .custom()
      .filter(({ inputs }) =>
        JSON.stringify(inputs).includes(`circleci:${settings.circleci.projectId}`),
      );
    assert.deepEqual(bound, []);
  });

  it("has the repositories where their images are pushed, and none in production's own account", async () => {
    const repositories = async (...environments: Environment[]) =>
      names(await only(...environments), "aws:ecr/repository:Repository");
    assert.deepEqual(await repositories("review", "staging"), ["images", "review-images"]);
    assert.deepEqual(await repositories("review"), ["review-images"]);
    assert.deepEqual(await repositories("prod"), []);
  });

  it("lets production's account pull, and names none of its roles, which may not be there yet", async () => {
    const clusters = [{ environments: ["review", "staging"] as const, name: "one" }];
    const recorder = await run({ clusters, productionAccountId: "444455556666" });
    const policies = recorder.all("aws:ecr/repositoryPolicy:RepositoryPolicy");
    assert.deepEqual(policies.map(({ name }) => name).sort(), ["images", "review-images"]);
    for (const { inputs } of policies) {
      const { Statement } = JSON.parse(inputs.policy as string) as { Statement: unknown };
      assert.deepEqual(Statement, [
        {
          Action: [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
          ],
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::444455556666:root" },
          Sid: "PullByProduction",
        },
      ]);
    }
  });

  it("gives Secrets only to a branch, in its own namespace", async () => {
    const recorder = await run();
    const readers = recorder
      .all("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
      .filter(({ inputs }) => {
        const rules = inputs.rules as { resources: string[] }[];
        return rules.some(({ resources }) => /secrets|\*/.test(resources.join()));
      })
      .map(({ name }) => name);
    assert.deepEqual(readers, ["staging-rights-review-namespace"]);
    const bindings = recorder.custom().filter(({ type }) => /RoleBinding$/.test(type));
    const roles = bindings.map(({ inputs }) => inputs.roleRef.name as string);
    assert.ok(!roles.includes("services-orders-review-namespace"));
  });

  it("shows logs to people and roles that deploy, and not to previews, which run the code of every branch", async () => {
    const recorder = await run();
    const readers = recorder
      .all("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
      .filter(({ inputs }) => {
        const rules = inputs.rules as { resources: string[] }[];
        return rules.some(({ resources }) => resources.includes("pods/log"));
      })
      .map(({ name }) => name)
      .sort();
    assert.deepEqual(readers, [
      "prod-rights-deploy",
      "prod-rights-prod-reader",
      "staging-rights-deploy",
      "staging-rights-developer",
      "staging-rights-review-namespace",
    ]);
  });

  it("refuses in every policy when it cannot be evaluated, and binds each to refuse", async () => {
    const recorder = await run();
    const policies = recorder.all(policyType);
    assert.equal(policies.length, 19);
    for (const { inputs } of policies) assert.equal(inputs.spec.failurePolicy, "Fail");
    const bound = recorder.all(`${policyType}Binding`).map(({ inputs }) => {
      assert.deepEqual(inputs.spec.validationActions, ["Deny"]);
      return inputs.spec.policyName as string;
    });
    assert.deepEqual(bound.sort(), names(recorder, policyType));
  });
});
