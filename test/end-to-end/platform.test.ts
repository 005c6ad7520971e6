import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ciRoles, people, reviewUser, roleName } from "../../components/conventions/ci-roles";
import { project } from "../../lib/project";
import { command, CommandError } from "../../lib/command";
import { environment } from "../../sandbox/environment";
import { registryName } from "../../sandbox/layout";
import { issuer, trustPolicy } from "../../platform/trust";
import { permissions } from "../../platform/permissions";
import { developerJobs, stackObjects } from "../attacks/support/developer-jobs";
import type { Manifest } from "../support/mocks";
import {
  type Actor,
  administrator,
  apply,
  branchJob,
  person,
  refusal,
  roleJob,
} from "./support/actors";
import { type Moto, startMoto } from "./aws/moto";
import { PlatformStack } from "./aws/platform-stack";
import { ReviewObjects } from "./support/review-objects";

const staging = "platform-test-staging";
const prod = "platform-test-prod";
const overrides = {
  clusters: [{ environments: ["review", "staging", "prod"], name: "sandbox" }],
  prodNamespace: prod,
  stagingNamespace: staging,
};
const organizationId = "00000000-0000-4000-8000-000000000001";
const projectId = "00000000-0000-4000-8000-000000000002";
const circleci = {
  approverIds: [],
  deployProjectId: undefined,
  organizationId,
  projectId,
  vcsOrigin: "github.com/example/services-orders",
};
const domain = "review.example.com";

/**
 * Review stacks of two branches. The names of the branches differ only in characters that the
 * conversion to a slug replaces.
 */
const own = new ReviewObjects("feature/platform_A", domain);
const other = new ReviewObjects("feature/platform-a", domain);
const job = branchJob(own.branch, projectId);
const otherJob = branchJob(other.branch, projectId);
const mainJob = branchJob("main", projectId);
const developer = person(people.developers.group);
const reader = person(people.productionReaders.group);

interface Statements {
  readonly Statement: unknown;
}

/** Asks the API server whether RBAC allows access to a subresource of pods. */
async function may(who: Actor, verb: string, subresource: string, namespace: string) {
  const of = ["pods", "--subresource", subresource, "--namespace", namespace];
  const asked = who.kubectl(["auth", "can-i", verb, ...of]);
  // After the response "no", kubectl ends with exit code 1.
  const answer = await asked.catch((error: unknown) => {
    if (error instanceof CommandError) return error.output;
    throw error;
  });
  const [, word] = /^(yes|no)\b/m.exec(answer) ?? [];
  assert.ok(word !== undefined, answer);
  return word === "yes";
}

/** Calls `ask` repeatedly, until the result matches `answer`. Fails after a minute. */
async function until(ask: () => Promise<string>, answer: RegExp): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const got = await ask();
    if (answer.test(got)) return;
    assert.ok(Date.now() < deadline, `no ${String(answer)} within a minute, but:\n${got}`);
    await sleep(500);
  }
}

describe("the platform on a cluster", () => {
  let moto: Moto;
  let stack: PlatformStack;

  async function deleteNamespaces(): Promise<void> {
    const namespaces = [own.namespace, other.namespace, staging, prod];
    await administrator.kubectl(["delete", "namespace", "--ignore-not-found", ...namespaces]);
  }

  before(async () => {
    moto = await startMoto(environment()["PATH"] ?? "");
    const vpc = ["--resources-vpc-config", "subnetIds=subnet-1,subnet-2"];
    const role = ["--role-arn", "arn:aws:iam::123456789012:role/cluster"];
    await moto.aws("eks", "create-cluster", "--name", "sandbox", ...role, ...vpc);
    stack = new PlatformStack(moto, overrides);
    console.log(`overridden keys of the platform: ${Object.keys(overrides).join(", ")}`);
    // A killed test run may have left its namespaces.
    await deleteNamespaces();
    await stack.init();
    await stack.run("up");
  });

  after(async () => {
    await deleteNamespaces();
    await stack.remove();
    await moto.stop();
  });

  describe("in AWS", () => {
    it("shows no change after it was made, also when AWS and the cluster are asked", async () => {
      await stack.run("preview", "--expect-no-changes");
      await stack.run("preview", "--expect-no-changes", "--refresh");
    });

    it("notices what was changed behind its back, and puts it right", async () => {
      const policy = ["--policy-name", "preview", "--policy-document"];
      const open = { Effect: "Allow", Action: "*", Resource: "*" };
      const document = JSON.stringify({ Statement: [open], Version: "2012-10-17" });
      const role = ["--role-name", roleName("preview")];
      await moto.aws("iam", "put-role-policy", ...role, ...policy, document);
      await assert.rejects(stack.run("preview", "--expect-no-changes", "--refresh"));
      await stack.run("up", "--refresh");
      await stack.run("preview", "--expect-no-changes", "--refresh");
    });

    it("has repositories whose tags do not move, except those of builds, scanned on push", async () => {
      const { repositories } = (await moto.aws("ecr", "describe-repositories")) as {
        repositories: Record<string, unknown>[];
      };
      const read = repositories.map((repository) => [
        repository["repositoryName"],
        repository["imageTagMutability"],
        repository["imageTagMutabilityExclusionFilters"],
        repository["imageScanningConfiguration"],
      ]);
      const filters = ["build-*", "deployed-*"].map((filter) => ({
        filter,
        filterType: "WILDCARD",
      }));
      assert.deepEqual(read.sort(), [
        ["services-orders", "IMMUTABLE_WITH_EXCLUSION", filters, { scanOnPush: true }],
        ["services-orders-review", "IMMUTABLE_WITH_EXCLUSION", filters, { scanOnPush: true }],
      ]);
      const outputs = await stack.outputs();
      assert.equal(outputs["repositoryUrl"], `${registryName()}/services-orders`);
    });

    it("expires builds, and first of all keeps releases and images that run", async () => {
      for (const [repository, days] of [
        ["services-orders", 90],
        ["services-orders-review", 30],
      ] as const) {
        const { lifecyclePolicyText } = (await moto.aws(
          ...["ecr", "get-lifecycle-policy", "--repository-name", repository],
        )) as { lifecyclePolicyText: string };
        const { rules } = JSON.parse(lifecyclePolicyText) as {
          rules: { rulePriority: number; selection: Record<string, unknown> }[];
        };
        assert.deepEqual(
          rules.map(({ rulePriority, selection }) => [
            rulePriority,
            selection["tagPatternList"],
            selection["countType"],
            selection["countNumber"],
          ]),
          [
            [1, ["release-*"], "imageCountMoreThan", 1000],
            [2, ["deployed-*"], "imageCountMoreThan", 1000],
            [3, ["build-*"], "sinceImagePushed", days],
          ],
        );
      }
    });

    it("trusts CircleCI's issuer, and each role those jobs that it is for", async () => {
      const { OpenIDConnectProviderList: providers } = (await moto.aws(
        ...["iam", "list-open-id-connect-providers"],
      )) as { OpenIDConnectProviderList: { Arn: string }[] };
      assert.equal(providers.length, 1);
      const providerArn = providers[0]?.Arn ?? "";
      assert.ok(providerArn.endsWith(`:oidc-provider/${issuer(circleci)}`), providerArn);
      const { Roles } = (await moto.aws("iam", "list-roles")) as {
        Roles: { AssumeRolePolicyDocument: Statements; RoleName: string }[];
      };
      const trusted = Object.fromEntries(
        Roles.map(({ AssumeRolePolicyDocument, RoleName }) => [RoleName, AssumeRolePolicyDocument]),
      );
      const expected = Object.fromEntries(
        ciRoles.map((purpose) => [roleName(purpose), trustPolicy(circleci, providerArn, purpose)]),
      );
      assert.deepEqual(trusted, expected);
    });

    it("gives each role its permissions, and no others", async () => {
      const arn = (name: string) => `arn:aws:ecr:eu-central-1:123456789012:repository/${name}`;
      const key = (number: number) =>
        `arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-00000000000${String(number)}`;
      for (const purpose of ciRoles) {
        const role = ["--role-name", roleName(purpose)];
        const names = (await moto.aws("iam", "list-role-policies", ...role)) as {
          PolicyNames: string[];
        };
        assert.deepEqual(names.PolicyNames, [purpose]);
        const attached = (await moto.aws("iam", "list-attached-role-policies", ...role)) as {
          AttachedPolicies: unknown[];
        };
        assert.deepEqual(attached.AttachedPolicies, []);
        const { PolicyDocument } = (await moto.aws(
          ...["iam", "get-role-policy", ...role, "--policy-name", purpose],
        )) as { PolicyDocument: Statements };
        const targets = {
          clusterArns: ["arn:aws:eks:eu-central-1:123456789012:cluster/sandbox"],
          keyArns: { prod: key(5), review: key(3), staging: key(4) },
          repositoryArn: arn("services-orders"),
          reviewRepositoryArn: arn("services-orders-review"),
          stateBucket: "example-orders-pulumi-state",
        };
        // Converts the expected permissions to JSON and back, because moto returns a policy
        // document as JSON.
        assert.deepEqual(
          PolicyDocument.Statement,
          JSON.parse(JSON.stringify(permissions(purpose, targets))),
        );
      }
    });

    it("cannot be asked about access entries here: moto does not know them", async () => {
      // If this assertion fails, moto supports access entries or identity provider configs. Then
      // change the stand-in for the AWS plugin, so that the stand-in creates and reads this type in
      // moto.
      for (const what of ["list-access-entries", "list-identity-provider-configs"]) {
        await assert.rejects(moto.aws("eks", what, "--cluster-name", "sandbox"), /404|not found/i);
      }
    });
  });

  describe("a job of a branch", () => {
    it("makes its review stack, object by object, and changes it", async () => {
      for (const object of own.all()) await apply(job, object);
      for (const object of own.all()) await apply(job, object);
      const at = ["--namespace", own.namespace];
      await until(() => job.kubectl(["get", "pods", ...at, "-o", "name"]), /pod\//);
      const password = await job.kubectl(["get", "secret", "database", ...at, "-o", "name"]);
      assert.equal(password.trim(), "secret/database");
    });

    it("gets no pod before its guardrails are there, and pods when they are", async () => {
      const at = ["--namespace", other.namespace];
      const bare = [other.namespaceObject(), other.binding(), other.deployment()];
      for (const object of bare) await apply(otherJob, object);
      const events = () => otherJob.kubectl(["get", "events", ...at]);
      await until(events, /review-pods-need-(quota|limits|network-policies)/);
      assert.equal(await otherJob.kubectl(["get", "pods", ...at, "-o", "name"]), "");
      for (const object of other.all()) await apply(otherJob, object);
      const restart = ["rollout", "restart", "deployment/services-orders", ...at];
      await otherJob.kubectl(restart);
      await until(() => otherJob.kubectl(["get", "pods", ...at, "-o", "name"]), /pod\//);
    });

    it("cannot scale beyond its quota, and the event names it", async () => {
      const at = ["--namespace", own.namespace];
      await job.kubectl(["scale", "deployment/services-orders", "--replicas=9", ...at]);
      await until(() => job.kubectl(["get", "events", ...at]), /exceeded quota: review/);
      const pods = await job.kubectl(["get", "pods", ...at, "-o", "name"]);
      assert.equal(pods.trim().split("\n").length, 3);
      await job.kubectl(["scale", "deployment/services-orders", "--replicas=1", ...at]);
    });

    /** Requests that the API server must refuse, each with the message of the refusal. */
    const denied: Readonly<Record<string, readonly [() => Promise<string>, RegExp]>> = {
      "reads a Secret of production": [
        () => job.kubectl(["get", "secret", "database", "-n", prod]),
        /cannot get resource "secrets"/,
      ],
      "lists the cluster's Secrets": [
        () => job.kubectl(["get", "secrets", "-A"]),
        /cannot list resource "secrets"/,
      ],
      "reads a Secret of staging": [
        () => job.kubectl(["get", "secrets", "-n", staging]),
        /cannot list resource "secrets"/,
      ],
      "creates an Ingress with production's host": [
        () => apply(job, own.ingress("services-orders.example.com")),
        /every rule of a review stack's Ingress must have the host/,
      ],
      "creates an Ingress with another review stack's host": [
        () => apply(job, own.ingress(other.host)),
        /every rule of a review stack's Ingress must have the host/,
      ],
      "creates an Ingress for every host": [
        () => {
          const backend = { service: { name: "services-orders", port: { number: 80 } } };
          return apply(job, own.ingress(own.host, {}, { defaultBackend: backend }));
        },
        /must have no default backend/,
      ],
      "creates an Ingress in production's group": [
        () => apply(job, own.ingress(own.host, { "alb.ingress.kubernetes.io/group.name": "prod" })),
        /group\.name of a review stack must match services-orders-review/,
      ],
      "creates an Ingress of another class": [
        () => apply(job, own.ingress(own.host, {}, { ingressClassName: "other" })),
        /the class of a review stack's Ingress must be alb/,
      ],
      "adds conditions to the load balancer": [
        () =>
          apply(job, own.ingress(own.host, { "alb.ingress.kubernetes.io/conditions.web": "[]" })),
        /only the annotations that the program gives it/,
      ],
      "creates a LoadBalancer": [
        () => apply(job, own.service({ type: "LoadBalancer" })),
        /of type ClusterIP/,
      ],
      "creates a Service on the nodes' ports": [
        () => apply(job, own.service({ type: "NodePort" })),
        /of type ClusterIP/,
      ],
      "leads its host to production's Service": [
        () => {
          const externalName = `services-orders.${prod}.svc.cluster.local`;
          return apply(job, own.service({ externalName, type: "ExternalName" }));
        },
        /of type ClusterIP/,
      ],
      "deletes its quota": [
        () => job.kubectl(["delete", "resourcequota", "review", "-n", own.namespace]),
        /cannot delete resource "resourcequotas"/,
      ],
      "deletes its LimitRange": [
        () => job.kubectl(["delete", "limitrange", "review", "-n", own.namespace]),
        /cannot delete resource "limitranges"/,
      ],
      "deletes its NetworkPolicy": [
        () => job.kubectl(["delete", "networkpolicy", "default-deny", "-n", own.namespace]),
        /cannot delete resource "networkpolicies"/,
      ],
      "raises its quota beyond the platform's limit": [
        () => apply(job, own.quota({ "requests.cpu": "64" })),
        /must limit requests.cpu to at most 2/,
      ],
      "counts no objects in its quota": [
        () => apply(job, own.quota({ "count/secrets": "1000000" })),
        /must limit count\/secrets to at most 20/,
      ],
      "leaves memory out of its quota": [
        () => {
          const quota = own.quota();
          const hard = Object.entries(quota.spec.hard).filter(([key]) => key !== "requests.memory");
          return apply(job, { ...quota, spec: { hard: Object.fromEntries(hard) } });
        },
        /must limit requests.memory/,
      ],
      "promises memory many times over": [
        () => apply(job, own.limitRange("100")),
        /maxLimitRequestRatio\.memory of containers to at most 4/,
      ],
      "opens its first NetworkPolicy": [
        () =>
          apply(
            job,
            own.networkPolicy("default-deny", { egress: [{}], policyTypes: ["Ingress", "Egress"] }),
          ),
        /must select all pods, and must allow no ingress and no egress/,
      ],
      "closes one direction twice in its first NetworkPolicy": [
        () =>
          apply(job, own.networkPolicy("default-deny", { policyTypes: ["Ingress", "Ingress"] })),
        /must select all pods, and must allow no ingress and no egress/,
      ],
      "lets its pods reach everything": [
        () => {
          const to = [{ ipBlock: { cidr: "0.0.0.0/0" } }];
          return apply(
            job,
            own.networkPolicy("out", { egress: [{ to }], policyTypes: ["Egress"] }),
          );
        },
        /may reach only itself, DNS, Datadog and what the platform allows/,
      ],
      "lets its pods reach the nodes' other ports": [
        () => {
          const to = [{ ipBlock: { cidr: "10.0.0.0/8" } }];
          const ports = [{ endPort: 9000, port: 8125, protocol: "UDP" }];
          const egress = [{ ports, to }];
          return apply(job, own.networkPolicy("out", { egress, policyTypes: ["Egress"] }));
        },
        /may reach only itself, DNS, Datadog and what the platform allows/,
      ],
      "lets other namespaces in": [
        () => {
          const from = [{ namespaceSelector: {} }];
          return apply(
            job,
            own.networkPolicy("in", { ingress: [{ from }], policyTypes: ["Ingress"] }),
          );
        },
        /may receive requests only from itself and from sources that the platform allows/,
      ],
      "lowers Pod Security of its namespace": [
        () =>
          apply(job, own.namespaceObject({ "pod-security.kubernetes.io/enforce": "privileged" })),
        /must enforce Pod Security restricted/,
      ],
      "pins an old Pod Security": [
        () =>
          apply(job, own.namespaceObject({ "pod-security.kubernetes.io/enforce-version": "v1.0" })),
        /only the labels of a review stack/,
      ],
      "gives its namespace to someone else": [
        () => apply(job, own.namespaceObject({}, reviewUser(other.branch))),
        /must not change/,
      ],
      "makes a namespace of another name": [
        () => {
          const object = own.namespaceObject();
          return apply(job, { ...object, metadata: { ...object.metadata, name: "mine" } });
        },
        /only namespaces services-orders-review-<slug>/,
      ],
      "takes its namespace out of the guardrails": [
        () => apply(job, own.namespaceObject({ protected_branch: "true" })),
        /must have the labels of the review stack/,
      ],
      "makes a namespace for another branch": [
        () => apply(job, new ReviewObjects("feature/x", domain).namespaceObject()),
        /belongs to another branch/,
      ],
      "makes a second namespace": [
        () =>
          apply(
            job,
            new ReviewObjects("invoice", domain).namespaceObject({}, reviewUser(own.branch)),
          ),
        /the namespace of a branch must be called services-orders-review-<slug>/,
      ],
      "changes production's namespace": [
        () => job.kubectl(["label", "namespace", prod, "a=b"]),
        /only namespaces services-orders-review-<slug>/,
      ],
      "deletes production's namespace": [
        () => job.kubectl(["delete", "namespace", prod]),
        /cannot delete resource "namespaces"/,
      ],
      "reads a Secret of another review stack": [
        () => job.kubectl(["get", "secret", "database", "-n", other.namespace]),
        /cannot get resource "secrets"/,
      ],
      "makes an object in another review stack": [
        () => apply(job, other.secret()),
        /cannot patch resource "secrets"/,
      ],
      "deletes another review stack": [
        () => job.kubectl(["delete", "namespace", other.namespace]),
        /cannot delete resource "namespaces"/,
      ],
      "changes another review stack's namespace": [
        () => job.kubectl(["label", "namespace", other.namespace, "service=x", "--overwrite"]),
        /belongs to another branch/,
      ],
      "gives itself rights in another review stack": [
        () => apply(job, other.binding([reviewUser(own.branch), reviewUser("main")])),
        /belongs to another branch|the subjects of RoleBinding review/,
      ],
      "gives itself rights in production": [
        () => {
          const binding = own.binding();
          return apply(job, { ...binding, metadata: { ...binding.metadata, namespace: prod } });
        },
        // Two policies refuse this request, but the API server's message names only one of the
        // policies.
        /change objects only in namespaces services-orders-review-\*|the subjects of RoleBinding review/,
      ],
      "gives others rights in its own": [
        () => apply(job, own.binding([reviewUser(own.branch), reviewUser("main"), "eve"])),
        /exactly the namespace.s owner and the user that removes/,
      ],
      "takes main's rights in its own namespace away": [
        () => apply(job, own.binding([reviewUser(own.branch)])),
        /exactly the namespace.s owner and the user that removes/,
      ],
      "gives itself another role": [
        () => {
          const binding = own.binding();
          const roleRef = { ...binding.roleRef, name: "cluster-admin" };
          return apply(job, {
            ...binding,
            metadata: { ...binding.metadata, name: "more" },
            roleRef,
          });
        },
        /attempting to grant|a review job may create only RoleBinding review/,
      ],
      "gives the permissions of developers to everyone": [
        () => apply(job, own.developersBinding("system:authenticated")),
        /the only subject of RoleBinding developers must be group services-orders:developer/,
      ],
      "deploys to staging": [
        () => apply(job, { ...own.service(), metadata: { name: "x", namespace: staging } }),
        /cannot patch resource "services"/,
      ],
      "runs commands in production's pods": [
        () => job.kubectl(["exec", "-n", prod, "any", "--", "id"]),
        /cannot (get|create) resource "pods/,
      ],
    };
    for (const [what, [request, reason]] of Object.entries(denied)) {
      it(`is refused when it ${what}`, async () => {
        assert.match(await refusal(request()), reason);
      });
    }

    it("lets developers read, and shows them no Secret", async () => {
      const at = ["-n", own.namespace];
      await developer.kubectl(["get", "pods,deployments,ingresses,events", ...at]);
      const secrets = refusal(developer.kubectl(["get", "secrets", ...at]));
      assert.match(await secrets, /cannot list resource "secrets"/);
      assert.equal(await may(developer, "create", "exec", own.namespace), false);
    });

    it("deletes its own review stack, guardrails and all", async () => {
      await job.kubectl(["delete", "namespace", own.namespace, "--timeout=60s"]);
    });
  });

  describe("a job of main", () => {
    it("takes another branch's review stack away, object by object", async () => {
      const at = ["--namespace", other.namespace];
      for (const object of ["deployment/services-orders", "service/services-orders"]) {
        await mainJob.kubectl(["delete", object, ...at]);
      }
      await mainJob.kubectl(["delete", "namespace", other.namespace, "--timeout=60s"]);
    });

    it("is refused outside review stacks when it comes without a role", async () => {
      const asked = refusal(mainJob.kubectl(["get", "secrets", "-n", prod]));
      assert.match(await asked, /cannot list resource "secrets"/);
    });
  });

  describe("the roles", () => {
    const deployment = (namespace: string, name: string) => {
      const object = own.deployment();
      return { ...object, metadata: { name, namespace } };
    };
    const policy = (namespace: string, name: string) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace },
      spec: { podSelector: { matchLabels: { track: "canary" } }, policyTypes: ["Egress"] },
    });
    const service = (namespace: string) => ({
      ...own.service(),
      metadata: { name: "services-orders", namespace },
    });
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "database", namespace: prod },
    };

    before(async () => {
      await apply(administrator, secret);
    });

    it("of staging and production deploy to their own namespace, and to no other", async () => {
      await apply(roleJob("staging"), service(staging));
      await apply(roleJob("prod"), service(prod));
      await apply(roleJob("prod"), deployment(prod, "services-orders"));
      await apply(roleJob("prod"), deployment(prod, "services-orders-canary"));
      await apply(roleJob("prod"), policy(prod, "services-orders-canary"));
      const open = refusal(apply(roleJob("prod"), policy(prod, "other")));
      assert.match(await open, /cannot patch resource "networkpolicies"/);
      const wrong = refusal(apply(roleJob("staging"), service(prod)));
      assert.match(await wrong, /cannot patch resource "services"/);
      const back = refusal(apply(roleJob("prod"), service(staging)));
      assert.match(await back, /cannot patch resource "services"/);
    });

    it("of staging and production read no Secret and delete no namespace", async () => {
      for (const [who, namespace] of [
        [roleJob("staging"), staging],
        [roleJob("prod"), prod],
      ] as const) {
        const read = refusal(who.kubectl(["get", "secrets", "-n", namespace]));
        assert.match(await read, /cannot list resource "secrets"/);
        const gone = refusal(who.kubectl(["delete", "namespace", namespace]));
        assert.match(await gone, /cannot delete resource "namespaces"/);
      }
    });

    it("of previews read staging and production without Secrets and logs, and change nothing", async () => {
      const who: Actor = roleJob("preview");
      for (const namespace of [staging, prod]) {
        await who.kubectl(["get", "deployments,services,ingresses,cronjobs", "-n", namespace]);
        const read = refusal(who.kubectl(["get", "secrets", "-n", namespace]));
        assert.match(await read, /cannot list resource "secrets"/);
        const logs = refusal(
          who.kubectl(["get", "--raw", `/api/v1/namespaces/${namespace}/pods/any/log`]),
        );
        assert.match(await logs, /cannot get resource "pods\/log"/);
        const write = refusal(apply(who, service(namespace)));
        assert.match(await write, /cannot patch resource "services"/);
      }
    });

    it("that removes canaries deletes the canary, and nothing of production's own", async () => {
      const who = roleJob("canary-removal");
      const at = ["-n", prod];
      const own = refusal(who.kubectl(["delete", "deployment", "services-orders", ...at]));
      assert.match(await own, /cannot delete resource "deployments"/);
      const config = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "other", namespace: prod },
      };
      await apply(administrator, config);
      const other = refusal(who.kubectl(["delete", "configmap", "other", ...at]));
      assert.match(await other, /may only delete objects called services-orders-canary/);
      await who.kubectl(["delete", "deployment", "services-orders-canary", ...at]);
      await who.kubectl(["delete", "networkpolicy", "services-orders-canary", ...at]);
    });
  });

  describe("a person", () => {
    const at = ["-n", staging];
    const create = ["create", ...at, "-f", "-"];
    const read = async (kind: string, name: string): Promise<Manifest> =>
      JSON.parse(await developer.kubectl(["get", kind, name, ...at, "-o", "json"]));
    /** Reads the objects of the stack, as the commands do. */
    const objects = async () => ({
      cronJob: await read("cronjob", "expire-unpaid"),
      deployment: await read("deployment", "services-orders"),
      podTemplate: await read("podtemplate", "services-orders"),
    });

    before(async () => {
      const { cronJob, deployment, podTemplate } = await stackObjects(staging);
      // The Deployment needs no pods here, because the policies read only its template.
      deployment.spec.replicas = 0;
      for (const object of [cronJob, deployment, podTemplate]) await apply(administrator, object);
    });

    for (const { attacks, jobOf, name } of developerJobs) {
      it(`creates, stops and deletes the Job of ${name} in staging`, async () => {
        const job = jobOf(await objects());
        await developer.kubectl(create, job);
        const of = ["job", job.metadata.name, ...at];
        const patch = '{"spec":{"activeDeadlineSeconds":1}}';
        await developer.kubectl(["patch", ...of, "--patch", patch]);
        await developer.kubectl(["delete", ...of, "--wait=false"]);
      });

      it(`is refused when the Job of ${name} differs from the stack's own pods`, async () => {
        const live = await objects();
        const items = Object.values(attacks).map(([change], index) => {
          const object = jobOf(live);
          change(object);
          object.metadata.name = `attack-${String(index)}`;
          return object;
        });
        const list = { apiVersion: "v1", items, kind: "List" };
        const answer = await refusal(developer.kubectl([...create, "--dry-run=server"], list));
        const lines = answer.split("\n");
        for (const [index, [what, [, message]]] of Object.entries(attacks).entries()) {
          const refused = lines.find((line) => line.includes(`"attack-${String(index)}" is forb`));
          assert.match(refused ?? "it was allowed", message, what);
        }
      });
    }

    it("reads in staging no Secret, and starts no process and no other pod", async () => {
      await developer.kubectl(["get", "pods,jobs,services,rolebindings,events", ...at]);
      const secrets = refusal(developer.kubectl(["get", "secrets", ...at]));
      assert.match(await secrets, /cannot list resource "secrets"/);
      assert.equal(await may(developer, "create", "exec", staging), false);
      assert.equal(await may(developer, "create", "portforward", staging), true);
      const run = refusal(developer.kubectl(["run", "any", "--image", "any", ...at]));
      assert.match(await run, /cannot create resource "pods"/);
      const change = refusal(apply(developer, await read("deployment", "services-orders")));
      assert.match(await change, /cannot patch resource "deployments"/);
    });

    it("without the group of production sees nothing of production, and with it only reads", async () => {
      const inProd = ["-n", prod];
      const seen = refusal(developer.kubectl(["get", "pods", ...inProd]));
      assert.match(await seen, /cannot list resource "pods"/);
      await reader.kubectl(["get", "pods,deployments,jobs,events", ...inProd]);
      const { podTemplate, ...rest } = await objects();
      const [run] = developerJobs;
      const job: Manifest = run?.jobOf({ podTemplate, ...rest });
      job.metadata.namespace = prod;
      for (const who of [developer, reader]) {
        const created = refusal(who.kubectl(["create", ...inProd, "-f", "-"], job));
        assert.match(await created, /cannot create resource "jobs"/);
        const secrets = refusal(who.kubectl(["get", "secrets", ...inProd]));
        assert.match(await secrets, /cannot list resource "secrets"/);
      }
      assert.equal(await may(reader, "create", "portforward", prod), false);
      assert.equal(await may(reader, "get", "log", prod), true);
    });
  });

  it("leaves pods of every other namespace alone, which have no guardrails", async () => {
    const metadata = { name: "elsewhere" };
    const pod = { containers: [{ image: "elsewhere", name: "elsewhere" }] };
    for (const namespace of ["default", "kube-system"]) {
      const object = { apiVersion: "v1", kind: "Pod", metadata, spec: pod };
      const create = ["create", "--dry-run=server", "-n", namespace, "-f", "-"];
      assert.match(await administrator.kubectl(create, object), /created \(server dry run\)/);
    }
  });

  describe("at its end", () => {
    it("refuses to delete the namespaces of staging and production", async () => {
      await assert.rejects(stack.run("destroy"), /protect/);
      await administrator.kubectl(["get", "namespace", staging, prod]);
      // A preview finds no change, because Pulumi has refused the command before the deletion of
      // any resource.
      await stack.run("preview", "--expect-no-changes");
    });

    it("leaves no file next to its program", async () => {
      const status = await command("git", ["status", "--porcelain", "platform"], { cwd: project });
      assert.doesNotMatch(status, /rehearsal/);
    });
  });
});
