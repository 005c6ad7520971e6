import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mock } from "node:test";
import type { Step } from "../../../../operations/pulumi/events";
import type { LiveObject } from "../../../../operations/pulumi/live-objects";
import { recoverState } from "../../../../operations/pulumi/recovery/recover-state";
import type { Deployment, StateResource } from "../../../../operations/pulumi/stacks";
import { matched } from "../../../../operations/pulumi/recovery/entries";
import { changedLater, kinds, missingIn } from "../../../../operations/pulumi/recovery/unrecorded";
import { parseAllDocuments } from "yaml";
import { project } from "../../../../lib/project";
import { namespacedRules } from "../../../../platform/cluster-roles";
import { identityOf } from "../../../../settings/identity";
import { Programs } from "../../support/programs";

const namespace = "services-orders-review-a";
const own = { identity: identityOf("review", "a"), namespace };
const labels = {
  "app.kubernetes.io/instance": "services-orders-a",
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": "services-orders",
};
const manager = "pulumi-kubernetes-0a1b2c3d";
const at = (time: string, name = manager) => [{ manager: name, operation: "Apply", time }];

/** Returns an object of the cluster that an update has applied. */
function live(kind: string, name: string, more: Readonly<Record<string, unknown>> = {}) {
  const apiVersion = kind === "CronJob" ? "batch/v1" : "v1";
  const managedFields = at("2026-01-01T00:00:00Z");
  const where = kind === "Namespace" ? {} : { namespace };
  const metadata = { labels, managedFields, name, ...where, ...more };
  return { apiVersion, kind, metadata } satisfies LiveObject;
}

const start = "urn:pulumi:review-a::services-orders::";
const root = `${start}pulumi:pulumi:Stack::services-orders-review-a`;
const provider = `${start}pulumi:providers:kubernetes::kubernetes`;
const component = `${start}services:k8s:Postgres::postgres`;
const unknownId = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Returns the engine's step that creates an object. */
function creation(kind: string, name: string, more: Readonly<Record<string, unknown>> = {}): Step {
  const { apiVersion } = live(kind, name);
  const type = `kubernetes:${apiVersion === "v1" ? "core/v1" : apiVersion}:${kind}`;
  const urn = `${start}services:k8s:Postgres$${type}::${name}`;
  const where = kind === "Namespace" ? {} : { namespace };
  const inputs = { apiVersion, kind, metadata: { labels, name, ...where }, ...more };
  const step = { op: "create", provider: `${provider}::${unknownId}`, type, urn };
  return { ...step, new: { inputs, parent: component, type, urn } };
}

const above: readonly Step[] = [
  [root, "pulumi:pulumi:Stack", ""],
  [provider, "pulumi:providers:kubernetes", root],
  [component, "services:k8s:Postgres", root],
].map(([urn = "", type = "", parent = ""]) => ({
  ...{ new: { inputs: {}, parent, type, urn }, op: "create", type, urn },
}));

const secretMark = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
/** The creation of a Secret whose name the provider generates, here `postgres-99999999`. */
function secretCreation(): Step {
  const step = creation("Secret", "postgres", { data: { ...secretMark, ciphertext: "[secret]" } });
  const { inputs = {} } = step.new ?? {};
  const annotations = { "pulumi.com/autonamed": "true" };
  const metadata = { annotations, labels, name: "postgres-99999999", namespace };
  return { ...step, ...(step.new && { new: { ...step.new, inputs: { ...inputs, metadata } } }) };
}

describe("the kinds of objects that a stack creates in its own namespace", () => {
  const names = kinds.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`);

  it("are all kinds in the recorded manifests, except what a role must not read", () => {
    const golden = join(project, "test", "golden");
    const objects = readdirSync(golden)
      .filter((file) => file.endsWith(".yaml") && file !== "platform.yaml")
      .flatMap((file) => parseAllDocuments(readFileSync(join(golden, file), "utf8")))
      .flatMap((document) => (document.toJS() as readonly object[] | null) ?? []) as LiveObject[];
    const created = new Set(objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
    assert.ok(created.size > 10);
    const others = [...created].filter((name) => !names.includes(name));
    assert.deepEqual(others, ["v1 Namespace"]);
  });

  it("may all be listed by the role of review stacks", () => {
    const may = namespacedRules.review
      .filter(({ verbs }) => (verbs as string[]).includes("list"))
      .flatMap(({ resources }) => resources as string[]);
    const plural = (kind: string): string =>
      `${kind.toLowerCase()}s`.replace(/ys$/, "ies").replace(/sss$/, "sses");
    assert.deepEqual(
      kinds.filter(({ kind }) => !may.includes(plural(kind))),
      [],
    );
  });
});

describe("the objects that a killed update has created", () => {
  it("are those of an update of this stack that the state does not contain", () => {
    const other = { ...labels, "app.kubernetes.io/instance": "services-orders-b" };
    const objects = [
      live("CronJob", "here"),
      live("CronJob", "known"),
      live("CronJob", "by-hand", { managedFields: at("2026-01-01T00:00:00Z", "kubectl") }),
      live("CronJob", "of-another-stack", { labels: other }),
    ];
    const known: StateResource = {
      inputs: { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "known", namespace } },
      type: "kubernetes:batch/v1:CronJob",
      urn: "known",
    };
    const names = missingIn([known], objects, own).map(({ metadata }) => metadata.name);
    assert.deepEqual(names, ["here"]);
  });

  it("get the entries that a recorded creation would have, below their components and with one provider", () => {
    const objects = [live("CronJob", "one"), live("Namespace", namespace)];
    const steps = [...above, creation("Namespace", namespace), creation("CronJob", "one")];
    const { above: first, begun, left } = matched(objects, steps, {});
    assert.deepEqual(left, []);
    const ids: readonly string[] = first.flatMap(({ id }) => (id === undefined ? [] : [id]));
    assert.equal(ids.length, 1);
    assert.deepEqual(
      first.map((one) => [one.urn, one.custom, one.parent]),
      [
        [root, false, undefined],
        [component, false, root],
        [provider, true, root],
      ],
    );
    assert.deepEqual(
      begun.map((one) => [one.urn, one.custom, one.parent, one.provider]),
      ["core/v1:Namespace::" + namespace, "batch/v1:CronJob::one"].map((end) => [
        ...[`${start}services:k8s:Postgres$kubernetes:${end}`, true, component],
        `${provider}::${ids.join("")}`,
      ]),
    );
  });

  it("use the components and the provider that the state contains", () => {
    const known = above.map(({ type, urn }) => ({
      ...{ type, urn, ...(urn === provider && { custom: true, id: "its-id" }) },
    }));
    const steps = [creation("CronJob", "one")];
    const found = matched([live("CronJob", "one")], steps, { resources: known });
    assert.deepEqual(found.above, []);
    assert.equal(found.begun[0]?.provider, `${provider}::its-id`);
  });

  it("keep a generated name and a password, the older one first", () => {
    const data = { password: "b2xk" };
    const young = live("Secret", "postgres-22222222", {
      creationTimestamp: "2026-01-01T00:00:02Z",
    });
    const old = {
      ...live("Secret", "postgres-11111111", { creationTimestamp: "2026-01-01T00:00:01Z" }),
      data,
    };
    const { begun } = matched([young, old], [...above, secretCreation()], {});
    const names = begun.map(({ inputs }) => (inputs?.["metadata"] as { name: string }).name);
    assert.deepEqual(names, ["postgres-11111111", "postgres-22222222"]);
    assert.deepEqual(begun[0]?.inputs?.["data"], {
      ...secretMark,
      plaintext: JSON.stringify(data),
    });
  });

  it("get an entry that the next update deletes, if the program declares no such object", () => {
    const names = ["postgres", "postgres-1234567g", "postgres-db-11111111"];
    const objects = names.map((name) => live("Secret", name));
    const { begun, left } = matched(objects, [...above, secretCreation()], {});
    assert.deepEqual(begun, []);
    assert.deepEqual(
      left.map(({ id, provider: its, urn }) => [id, its?.startsWith(`${provider}::`), urn]),
      names.map((name) => [
        `${namespace}/${name}`,
        true,
        `${start}kubernetes:core/v1:Secret::${name}`,
      ]),
    );
  });

  it("stay if a review job must not delete them", () => {
    const policy = { ...live("NetworkPolicy", "old"), apiVersion: "networking.k8s.io/v1" };
    const { begun, left } = matched([policy], [...above, creation("CronJob", "one")], {});
    assert.deepEqual([begun, left], [[], []]);
  });

  it("have the fields of the cluster as outputs, except an object with secrets", () => {
    const spec = { schedule: "of the cluster", suspend: true };
    const object = { ...live("CronJob", "one"), spec };
    const planned = creation("CronJob", "one", {
      spec: { schedule: "of the program", suspend: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" },
    });
    const secret = live("Secret", "postgres-11111111");
    const { begun } = matched([object, secret], [...above, planned, secretCreation()], {});
    assert.deepEqual(begun[0]?.outputs?.["spec"], spec);
    assert.deepEqual(begun[0].inputs?.["spec"], { schedule: "of the program", suspend: true });
    assert.deepEqual(begun[1]?.outputs, {});
  });

  it("put no secret value of a component or a provider into the state", () => {
    const secret = { ...secretMark, ciphertext: "[secret]" };
    const steps = above.map((step) => ({
      ...step,
      ...(step.new && { new: { ...step.new, inputs: { a: 1, kubeconfig: { in: secret } } } }),
    }));
    const object = [live("CronJob", "one")];
    const { above: first } = matched(object, [...steps, creation("CronJob", "one")], {});
    assert.deepEqual(
      first.map(({ inputs }) => inputs),
      [{ a: 1 }, { a: 1 }, { a: 1 }],
    );
  });
});

describe("the objects that a killed update has changed", () => {
  const schedule = { spec: { schedule: "0 4 * * *" } };
  const recorded: StateResource = {
    inputs: { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "one", namespace } },
    outputs: {
      __fieldManager: manager,
      metadata: { labels, managedFields: at("2026-01-01T00:00:05Z"), uid: "first" },
      ...schedule,
    },
    type: "kubernetes:batch/v1:CronJob",
    urn: "one",
  };
  const later = (metadata: Readonly<Record<string, unknown>>, fields: object): boolean =>
    changedLater({
      objects: [{ ...live("CronJob", "one", metadata), ...fields }],
      resources: [recorded],
    }).length === 1;
  const other = { spec: { schedule: "0 5 * * *" } };

  it("are those that the stack's field manager has changed after the recorded time", () => {
    const changed = (time: string, by?: string): boolean =>
      later({ managedFields: at(time, by), uid: "first" }, other);
    assert.equal(changed("2026-01-01T00:00:06Z"), true);
    assert.equal(changed("2026-01-01T00:00:05Z"), false);
    assert.equal(changed("2026-01-01T00:00:06Z", "kubectl"), false);
  });

  it("are those that were replaced under the same name", () => {
    const managedFields = at("2026-01-01T00:00:06Z", "pulumi-kubernetes-99999999");
    assert.equal(later({ managedFields, uid: "second" }, schedule), true);
  });

  it("do not include an object whose change was undone, or whose status changed", () => {
    const [status] = at("2026-01-01T00:00:06Z");
    assert.ok(status);
    const entries = [...at("2026-01-01T00:00:05Z"), { ...status, subresource: "status" }];
    assert.equal(later({ managedFields: entries, uid: "first" }, other), false);
    const undone = { managedFields: at("2026-01-01T00:00:06Z"), uid: "first" };
    assert.equal(later(undone, { ...schedule, status: {} }), false);
    const annotations = { "deployment.kubernetes.io/revision": "3" };
    assert.equal(later({ ...undone, annotations }, schedule), false);
    assert.equal(later({ ...undone, labels: { ...labels, new: "label" } }, schedule), true);
  });
});

describe("recovering from an update that was killed before it wrote the state", () => {
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

  const cluster = (...items: readonly LiveObject[]) => ({
    kubectl: async (args: readonly string[], _timeout?: number, input?: string) => {
      asked.push(args.join(" "));
      const isOne = input !== undefined;
      if (args.includes("kube-system")) return Promise.resolve("here");
      const found = items.filter(({ kind }) => (kind === "Namespace") === isOne);
      return Promise.resolve(JSON.stringify({ items: found }));
    },
  });
  const pulumi = (deployment: Deployment, steps: readonly Step[], fails = false): void => {
    const events = steps.map((metadata, sequence) =>
      JSON.stringify({ sequence, timestamp: 1, resourcePreEvent: { metadata } }),
    );
    const log = join(programs.directory, "log");
    writeFileSync(log, events.join("\n"));
    programs.add("pulumi", {
      "preview *": fails ? "exit 1" : `for to; do :; done; cp "${log}" "$to"`, // the log's path is last
      "*stack export*": `echo '${JSON.stringify({ deployment })}'`,
      "*stack import*": `cat > "${join(programs.directory, "imported")}"`,
    });
  };
  const imported = (): readonly StateResource[] => {
    const text = readFileSync(join(programs.directory, "imported"), "utf8");
    return (JSON.parse(text) as { deployment: Deployment }).deployment.resources ?? [];
  };
  const recover = async (...objects: readonly LiveObject[]) =>
    recoverState("review-a", cluster(...objects), programs.workspace(), own);

  it("adds what was created to an empty state, and lets the next update delete what the program does not declare", async () => {
    pulumi({}, [...above, creation("Namespace", namespace), creation("CronJob", "one")]);
    await recover(live("Namespace", namespace), live("CronJob", "one"), live("CronJob", "two"));
    const ids = imported().map(({ id, type }) => [type, id]);
    assert.deepEqual(
      ids.filter(([type = ""]) => type.startsWith("kubernetes:")),
      [
        ["kubernetes:batch/v1:CronJob", `${namespace}/two`],
        ["kubernetes:core/v1:Namespace", namespace],
        ["kubernetes:batch/v1:CronJob", `${namespace}/one`],
      ],
    );
    assert.ok(!asked.some((call) => call.startsWith("delete")));
  });

  const cronJob = {
    id: `${namespace}/one`,
    inputs: { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "one", namespace } },
    type: "kubernetes:batch/v1:CronJob",
    urn: "one",
  };

  it("makes the next update apply a changed object again, without a preview", async () => {
    const metadata = { name: "one", namespace };
    const resource: StateResource = {
      id: `${namespace}/one`,
      inputs: { apiVersion: "batch/v1", kind: "CronJob", metadata },
      outputs: {
        __fieldManager: manager,
        metadata: { labels, managedFields: at("2025-12-31T00:00:00Z") },
        spec: { schedule: "0 4 * * *" },
      },
      type: "kubernetes:batch/v1:CronJob",
      urn: "one",
    };
    const stack = { outputs: { clusterUid: "here" }, type: "pulumi:pulumi:Stack", urn: root };
    pulumi({ resources: [stack, resource] }, []);
    const seen = await recover(live("CronJob", "one"));
    assert.deepEqual(seen.resources, []);
    assert.equal(imported().find(({ urn }) => urn === "one")?.initErrors?.length, 1);
    assert.ok(!programs.calls.some((call) => call.startsWith("pulumi preview")));
  });

  it("changes nothing after an update that was not killed", async () => {
    pulumi({}, []);
    await recover();
    await recover(live("CronJob", "by-hand", { managedFields: [] }));
    assert.ok(!existsSync(join(programs.directory, "imported")));
  });

  it("does nothing about an object that a review job must not delete", async () => {
    pulumi({}, []);
    await recover({ ...live("NetworkPolicy", "old"), apiVersion: "networking.k8s.io/v1" });
    assert.ok(!existsSync(join(programs.directory, "imported")));
  });

  it("stops with the errors of the preview, and changes nothing", async () => {
    pulumi({}, [], true);
    await assert.rejects(recover(live("CronJob", "one")), /the preview failed/);
    assert.deepEqual(imported(), []);
  });

  it("waits for an update in progress before it runs a preview", async () => {
    const ended = join(programs.directory, "ended");
    programs.add("pulumi", {
      "*stack export*": `if [ -e ${ended} ]; then echo '${JSON.stringify({ deployment: { resources: [cronJob] } })}'; else echo '{}'; fi`,
      "*stack import*": `touch ${ended}; echo "error: the stack is currently locked by 1 lock(s)" >&2; exit 255`,
    });
    const workspace = { ...programs.workspace(), lockWait: { pauseMs: 5 } };
    await recoverState("review-a", cluster(live("CronJob", "one")), workspace, own);
    assert.ok(!programs.calls.some((call) => call.includes("preview")));
  });

  it("refreshes the state if a Secret is gone", async () => {
    const metadata = { name: "postgres-1", namespace };
    const secret = {
      id: `${namespace}/postgres-1`,
      inputs: { apiVersion: "v1", kind: "Secret", metadata },
      type: "kubernetes:core/v1:Secret",
      urn: "secret",
    };
    pulumi({ resources: [secret] }, []);
    await recover();
    assert.ok(programs.calls.some((call) => /refresh --stack review-a/.test(call)));
  });

  it("finds what was created after a refresh has left no object in the state", async () => {
    const stack = { outputs: { clusterUid: "here" }, type: "pulumi:pulumi:Stack", urn: root };
    pulumi({ resources: [stack] }, [...above, creation("CronJob", "one")]);
    await recover(live("CronJob", "one"));
    assert.ok(imported().some(({ id }) => id === `${namespace}/one`));
  });

  it("changes nothing if the stack is in another cluster", async () => {
    const known = {
      id: namespace,
      ...creation("Namespace", namespace).new,
      type: "kubernetes:core/v1:Namespace",
      urn: "ns",
    };
    const stack = { outputs: { clusterUid: "elsewhere" }, type: "pulumi:pulumi:Stack", urn: root };
    pulumi({ resources: [stack, known] }, []);
    await recover(live("CronJob", "one"));
    assert.ok(!existsSync(join(programs.directory, "imported")));
  });
});
