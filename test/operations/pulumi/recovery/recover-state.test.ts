import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mock } from "node:test";
import type { LiveObject } from "../../../../operations/pulumi/live-objects";
import { recoverState, withBegun } from "../../../../operations/pulumi/recovery/recover-state";
import type { Deployment, StateResource } from "../../../../operations/pulumi/stacks";
import { Programs } from "../../support/programs";

const labels = {
  "app.kubernetes.io/instance": "services-orders-a",
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": "services-orders",
};
const urn = "urn:pulumi:review-a::services-orders::kubernetes:core/v1:Secret::postgres";
const ciphertext = { ciphertext: "v1:abc" };

function secret(
  name: string,
  more: Partial<StateResource> = {},
  annotations: Readonly<Record<string, string>> = { "pulumi.com/autonamed": "true" },
): StateResource {
  const metadata = { annotations, labels, name, namespace: "orders" };
  const inputs = { apiVersion: "v1", data: ciphertext, kind: "Secret", metadata };
  return { inputs, type: "kubernetes:core/v1:Secret", urn, ...more };
}

const creating = (...resources: readonly StateResource[]) =>
  resources.map((resource) => ({ resource, type: "creating" }));

/** Returns a Secret of the cluster. These field managers have applied the Secret in this order. */
function live(
  name: string,
  managers: readonly string[] = ["pulumi-kubernetes-0a1b2c3d"],
  its: Readonly<Record<string, string>> = labels,
): LiveObject {
  const managedFields = managers.map((manager, at) => ({
    manager,
    operation: "Apply",
    time: `2026-01-01T00:00:0${String(at)}Z`,
  }));
  return {
    ...{ apiVersion: "v1", data: { password: "cGxhaW4=" }, kind: "Secret" },
    metadata: { labels: its, managedFields, name, namespace: "orders" },
  };
}

describe("the state of a killed update", () => {
  beforeEach(() => void mock.method(console, "log", () => undefined));
  afterEach(() => {
    mock.restoreAll();
  });

  const after = (deployment: Deployment, ...found: readonly LiveObject[]) => {
    const { pending_operations, resources = [] } = withBegun(deployment, found);
    assert.deepEqual(pending_operations, []);
    return resources;
  };

  it("gets what was made, with its field manager and no secret in the clear, and is waited for", () => {
    const begun = creating(secret("postgres-1"));
    const [adopted, ...others] = after({ pending_operations: begun }, live("postgres-1"));
    assert.deepEqual(others, []);
    assert.equal(adopted?.id, "orders/postgres-1");
    assert.equal(adopted.initErrors?.length, 1);
    const { __fieldManager, data, metadata } = adopted.outputs ?? {};
    assert.equal(__fieldManager, "pulumi-kubernetes-0a1b2c3d");
    assert.deepEqual(data, ciphertext);
    assert.deepEqual(metadata, live("postgres-1").metadata);
    assert.ok(!JSON.stringify(adopted).includes("cGxhaW4="));
  });

  it("forgets what was not made, and what is not an object of the cluster", () => {
    const image = { inputs: {}, type: "docker-build:index:Image", urn: "image" };
    const begun = creating(secret("postgres-1"), image);
    assert.deepEqual(after({ pending_operations: begun }, live("postgres-2")), []);
  });

  it("gets no object of another owner: by its labels, by its managers, and one that is kept when the stack goes", () => {
    const other = { ...labels, "app.kubernetes.io/instance": "services-orders-b" };
    const begun = { pending_operations: creating(secret("postgres-1")) };
    assert.deepEqual(after(begun, live("postgres-1", undefined, other)), []);
    assert.deepEqual(after(begun, live("postgres-1", ["kubectl"])), []);
    const kept = { pending_operations: creating(secret("postgres-1", { retainOnDelete: true })) };
    assert.deepEqual(after(kept, live("postgres-1")), []);
  });

  it("names the manager that applied an object last", () => {
    const managers = ["pulumi-kubernetes-00000001", "kubectl", "pulumi-kubernetes-00000002"];
    const begun = { pending_operations: creating(secret("postgres-1")) };
    const [adopted] = after(begun, live("postgres-1", managers));
    assert.equal(adopted?.outputs?.["__fieldManager"], "pulumi-kubernetes-00000002");
  });

  it("lets a spare object go with the next update, and keeps the one that serves", () => {
    const serving = secret("postgres-1", { id: "orders/postgres-1" });
    const pending_operations = creating(secret("postgres-2"), secret("postgres-1"));
    const found = [live("postgres-1"), live("postgres-2")];
    const [first, second, ...others] = after(
      { pending_operations, resources: [serving] },
      ...found,
    );
    assert.deepEqual(first, serving);
    assert.deepEqual([second?.id, second?.delete], ["orders/postgres-2", true]);
    assert.deepEqual(others, []);
  });

  it("puts an object with a fixed name into the place of the old object, which goes with the next update", () => {
    const old = secret("postgres", { id: "old-namespace/postgres" }, {});
    const pending_operations = creating(secret("postgres", {}, {}));
    const [first, second, ...others] = after(
      { pending_operations, resources: [old] },
      live("postgres"),
    );
    assert.deepEqual([first?.id, first?.delete], ["old-namespace/postgres", true]);
    assert.deepEqual([second?.id, second?.delete], ["orders/postgres", undefined]);
    assert.deepEqual(others, []);
  });

  it("puts what was made into the place of what it replaces and is gone", () => {
    const gone = secret("postgres", { id: "orders/postgres", pendingReplacement: true });
    const begun = { pending_operations: creating(secret("postgres-2")), resources: [gone] };
    const [adopted, ...others] = after(begun, live("postgres-2"));
    assert.deepEqual([adopted?.id, adopted?.delete], ["orders/postgres-2", undefined]);
    assert.deepEqual(others, []);
  });
});

describe("recovering from a killed update", () => {
  let programs: Programs;
  let asked: string[];
  beforeEach(() => {
    programs = new Programs();
    asked = [];
    mock.method(console, "log", () => undefined);
  });
  afterEach(() => {
    mock.restoreAll();
    programs.remove();
  });

  const cluster = (...found: readonly LiveObject[]) => ({
    kubectl: async (args: readonly string[]) => {
      asked.push(args.join(" "));
      return Promise.resolve(found.length === 0 ? "" : JSON.stringify({ items: found }));
    },
  });

  const pulumi = (deployment: Deployment, more: Readonly<Record<string, string>> = {}): void => {
    const state = JSON.stringify({ deployment });
    const imported = join(programs.directory, "imported");
    programs.add("pulumi", {
      ...more,
      "*stack export*": `echo '${state}'`,
      "*stack import*": `cat > "${imported}"`,
    });
  };

  it("asks nothing of the cluster, and changes nothing, when nothing was begun", async () => {
    pulumi({ resources: [] });
    await recoverState("review-a", cluster(), programs.workspace());
    assert.deepEqual(asked, []);
    assert.ok(!programs.calls.some((call) => /refresh|import/.test(call)));
  });

  it("settles what was changed by a refresh, and what was made by the cluster's answer, also without files", async () => {
    pulumi({ pending_operations: creating(secret("postgres-1")) });
    const found = cluster(live("postgres-1"));
    await recoverState("review-a", found, programs.workspace());
    const calls = programs.calls.filter((call) => /refresh|import/.test(call));
    assert.match(calls[0] ?? "", /refresh --stack review-a --yes --skip-preview/);
    assert.match(calls[1] ?? "", /stack import --stack review-a/);
    assert.equal(asked.length, 1);
    const state = readFileSync(join(programs.directory, "imported"), "utf8");
    const { deployment } = JSON.parse(state) as { deployment: Deployment };
    assert.deepEqual(deployment.pending_operations, []);
    assert.equal(deployment.resources?.[0]?.id, "orders/postgres-1");
  });

  /**
   * Returns a resource of the state. The tests also use the `inputs` of the resource as the object
   * in the cluster.
   */
  const object = (apiVersion: string, kind: string, name: string, namespace?: string) => {
    const metadata = { name, ...(namespace !== undefined && { namespace }) };
    const type = `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
    const urn = `urn:pulumi:review-a::services-orders::${type}::${name}`;
    const id = namespace === undefined ? name : `${namespace}/${name}`;
    return { id, inputs: { apiVersion, kind, metadata }, type, urn };
  };
  const namespace = object("v1", "Namespace", "orders");
  const web = object("apps/v1", "Deployment", "web", "orders");
  const stack = {
    outputs: { clusterUid: "here" },
    type: "pulumi:pulumi:Stack",
    urn: "urn:pulumi:review-a::services-orders::pulumi:pulumi:Stack::services-orders-review-a",
  };
  /** Returns a stand-in for a cluster with this UID and these objects. */
  const containing = (uid: string, ...found: readonly { readonly inputs: object }[]) => ({
    kubectl: async (args: readonly string[]) => {
      asked.push(args.join(" "));
      const items = found.map(({ inputs }) => inputs);
      return Promise.resolve(args.includes("kube-system") ? uid : JSON.stringify({ items }));
    },
  });
  const refreshed = (): boolean =>
    programs.calls.some((call) => /refresh --stack review-a --yes/.test(call));

  for (const [title, left] of [
    ["whose namespace was deleted", []],
    ["whose Deployment was deleted", [namespace]],
  ] as const) {
    it(`refreshes the state of a stack ${title}, and of no other`, async () => {
      pulumi({ resources: [stack, namespace, web] });
      const whole = containing("here", namespace, web);
      await recoverState("review-a", whole, programs.workspace());
      assert.equal(refreshed(), false);
      assert.deepEqual(
        asked.map((args) => args.split(" ").slice(0, 4).join(" ")),
        ["get --filename - --ignore-not-found", "get Deployment.v1.apps --namespace orders"],
      );
      await recoverState("review-a", containing("here", ...left), programs.workspace());
      assert.equal(refreshed(), true);
    });
  }

  it("does not miss an object that the next update deletes, or that not every role may read", async () => {
    const replaced = { ...web, delete: true };
    const unreadable = secret("postgres-1", { id: "orders/postgres-1" });
    pulumi({ resources: [stack, namespace, replaced, unreadable] });
    await recoverState("review-a", containing("here", namespace), programs.workspace());
    assert.equal(refreshed(), false);
  });

  it("refreshes nothing when the kubeconfig points to another cluster", async () => {
    pulumi({ resources: [stack, namespace] });
    await recoverState("review-a", containing("elsewhere"), programs.workspace());
    assert.equal(refreshed(), false);
  });

  it("asks for no object when a stack's outputs name no cluster", async () => {
    pulumi({ resources: [namespace, { ...namespace, id: "other" }] });
    await recoverState("shared", cluster(), programs.workspace());
    assert.deepEqual(asked, []);
  });

  it("asks the cluster that an object's provider uses", async () => {
    const provider = {
      inputs: { context: "production" },
      type: "pulumi:providers:kubernetes",
      urn: "urn:provider",
    };
    const one = secret("postgres-1", { provider: "urn:provider::id" });
    pulumi({ pending_operations: creating(one, secret("postgres-2")), resources: [provider] });
    await recoverState("shared", cluster(live("postgres-1")), programs.workspace());
    const contexts = asked.map((args) => /--context=(\S+)/.exec(args)?.[1]);
    assert.deepEqual(contexts, ["production", undefined]);
  });

  it("adopts by its id what AWS was creating, and reads it; what is only set is set again", async () => {
    const aws = (type: string, inputs: Readonly<Record<string, unknown>>): StateResource => ({
      inputs,
      type: `aws:${type}`,
      urn: `urn:${type}`,
    });
    const oidc = { clientId: "org", identityProviderConfigName: "circleci" };
    const created = [
      aws("ecr/repository:Repository", { name: "services-orders" }),
      aws("iam/role:Role", { name: "services-orders-prod" }),
      aws("iam/openIdConnectProvider:OpenIdConnectProvider", { url: "https://oidc.example/org/1" }),
      aws("eks/accessEntry:AccessEntry", { clusterName: "prod", principalArn: "arn:role" }),
      aws("eks/identityProviderConfig:IdentityProviderConfig", { clusterName: "prod", oidc }),
    ];
    const set = aws("iam/rolePolicy:RolePolicy", { name: "prod" });
    pulumi({ pending_operations: creating(...created, set) });
    programs.add("aws", {
      "sts get-caller-identity*": `if [ "$AWS_DEFAULT_REGION" = eu-1 ]; then echo 123456789012; fi`,
    });
    const { env, ...workspace } = programs.workspace();
    await recoverState("shared", cluster(), { ...workspace, env: { ...env, AWS_REGION: "eu-1" } });
    const calls = programs.calls.filter((call) => /refresh|import/.test(call));
    assert.deepEqual(
      calls.map((call) => /refresh|import/.exec(call)?.[0]),
      ["refresh", "import", "refresh"],
    );
    const state = readFileSync(join(programs.directory, "imported"), "utf8");
    const { deployment } = JSON.parse(state) as { deployment: Deployment };
    assert.deepEqual(
      deployment.resources?.map(({ id, urn }) => [urn, id]),
      [
        ["urn:ecr/repository:Repository", "services-orders"],
        ["urn:iam/role:Role", "services-orders-prod"],
        [
          "urn:iam/openIdConnectProvider:OpenIdConnectProvider",
          "arn:aws:iam::123456789012:oidc-provider/oidc.example/org/1",
        ],
        ["urn:eks/accessEntry:AccessEntry", "prod:arn:role"],
        ["urn:eks/identityProviderConfig:IdentityProviderConfig", "prod:circleci"],
      ],
    );
  });

  it("leaves what another update has begun to that update, and waits for it", async () => {
    const begun = JSON.stringify({ deployment: { pending_operations: creating(secret("a")) } });
    const ended = join(programs.directory, "ended");
    const locked = `touch ${ended}; echo "error: the stack is currently locked by 1 lock(s)" >&2; exit 255`;
    programs.add("pulumi", {
      "*refresh*": locked,
      "*stack export*": `if [ -e ${ended} ]; then echo '{"deployment":{}}'; else echo '${begun}'; fi`,
    });
    const workspace = { ...programs.workspace(), lockWait: { pauseMs: 5 } };
    await recoverState("review-a", cluster(), workspace);
    assert.equal(programs.calls.filter((call) => call.includes("refresh")).length, 1);
    assert.ok(!existsSync(join(programs.directory, "imported")));
  });
});
