import assert from "node:assert/strict";
import { changesOf } from "../../../../operations/preview/changes/changes";
import { planOf } from "../../../../operations/preview/plan";
import { summaryOf } from "../../../../operations/preview/impact/summary";
import { textOf } from "../../../../operations/preview/render/text";
import type { Json, Step } from "../../../../operations/pulumi/events";
import { component, events, object } from "../../support/steps";

const web = ["WebService", "services-orders"] as const;
type Inputs = Readonly<Record<string, Json>>;

const deployment = (before: Inputs, after: Inputs, op = "update", keys?: readonly string[]) =>
  object(op, "apps/v1:Deployment", { after, before, in: web, ...(keys ? { keys } : {}) });
const says = (...steps: Step[]) =>
  summaryOf("prod", events(steps), 0).groups.flatMap(({ rows }) => rows.map((row) => row.says));

describe("what a change does", () => {
  const pods = (image: string, rest: Inputs = {}): Inputs => ({
    spec: { template: { spec: { containers: [{ image, name: "services-orders" }] } }, ...rest },
  });

  it("is new pods, rolling, when the pods' template changes", () => {
    assert.deepEqual(says(deployment(pods("a"), pods("b"))), ["new pods, rolling, no downtime"]);
  });

  it("shows downtime when the strategy deletes all pods before it creates new ones", () => {
    const recreate = { strategy: { type: "Recreate" } };
    const all = { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 2 } } };
    const share = { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: "100%" } } };
    for (const rest of [recreate, all, share]) {
      const summary = summaryOf("prod", events([deployment(pods("a", rest), pods("b", rest))]), 0);
      assert.equal(summary.headline, "DANGER: all pods restart together, downtime");
    }
  });

  it("is nothing when there is no pod", () => {
    const none = { replicas: 0 };
    assert.deepEqual(says(deployment(pods("a", none), pods("b", none))), [
      "nothing: it has no pods",
    ]);
  });

  it("is a number of pods when the replicas change, and downtime when none is left", () => {
    const replicas = (n: number): Inputs => ({ spec: { replicas: n } });
    assert.deepEqual(says(deployment(replicas(2), replicas(3))), ["1 pod more"]);
    assert.deepEqual(says(deployment(replicas(5), replicas(3))), [
      "2 pods fewer, after open requests end",
    ]);
    assert.deepEqual(says(deployment(replicas(5), replicas(0))), ["no pod is left, downtime"]);
  });

  it("is REPLACED, downtime, when Pulumi replaces the Deployment", () => {
    const selector = (app: string): Inputs => ({ spec: { selector: { matchLabels: { app } } } });
    const ops = ["delete-replaced", "replace", "create-replacement"];
    const steps = ops.map((op) => deployment(selector("a"), selector("b"), op, ["spec.selector"]));
    const summary = summaryOf("prod", events(steps), 0);
    assert.equal(summary.verdict, "danger");
    assert.equal(summary.headline, "DANGER: REPLACED, downtime");
  });

  it("is nothing when only labels of the Deployment itself change", () => {
    const label = (team: string): Inputs => ({ metadata: { labels: { team }, name: "web" } });
    const summary = summaryOf("prod", events([deployment(label("a"), label("b"))]), 0);
    assert.equal(summary.headline, "no running process changes");
    assert.equal(textOf(summary).split("\n").length, 2, "it is one line");
  });

  it("is unknown when the table does not describe the kind or the field", () => {
    const odd = object("update", "example.com/v1:Odd", {
      after: { a: 1 },
      before: { a: 2 },
      in: web,
    });
    assert.deepEqual(says(odd), ["unknown impact: read Pulumi's diff"]);
  });

  it("of an object that is deleted before the new one exists is reported for itself", () => {
    const inputs = (a: string): Inputs => ({ data: { a }, metadata: { name: "same" } });
    const steps = ["delete-replaced", "replace", "create-replacement"].map((op) =>
      object(op, "core/v1:Service", { after: inputs("2"), before: inputs("1"), in: web, keys: [] }),
    );
    assert.deepEqual(says(...steps), ["REPLACED, downtime"]);
    const order = (its: readonly Step[]) => changesOf({ steps: its })[0]?.createBeforeDelete;
    assert.deepEqual([order(steps), order(steps.reverse())], [false, true]);
  });

  it("of a ConfigMap that gets another name is reported once, as what its pods do", () => {
    const mounts = (name: string): Inputs => ({
      spec: { template: { spec: { volumes: [{ configMap: { name }, name: "config-files" }] } } },
    });
    const map = (name: string, data: Inputs): Inputs => ({ data, metadata: { name } });
    const [before, after] = [map("web-1", { a: "1" }), map("web-2", { a: "2" })];
    const steps = ["create-replacement", "replace", "delete-replaced"].map((op) =>
      object(op, "core/v1:ConfigMap", { after, before, in: web, keys: ["data"], name: "web" }),
    );
    const { groups } = summaryOf(
      "prod",
      events([...steps, deployment(mounts("web-1"), mounts("web-2"))]),
      0,
    );
    const rows = groups.flatMap((group) => group.rows);
    assert.deepEqual(
      rows.map(({ effect, fields }) => [effect, fields]),
      [["rolling", ["ConfigMap data.a"]]],
    );
  });
});

describe("Pulumi's own providers", () => {
  const provider = (op: string) => {
    const type = "pulumi:providers:docker-build";
    const urn = `urn:pulumi:prod::services-orders::${type}::default`;
    const state = (version: string) => ({ inputs: { version }, type, urn });
    return { new: state("2"), old: state("1"), op, type, urn };
  };

  it("are reported only when they are replaced, with everything that they created", () => {
    for (const op of ["create", "delete", "update"]) {
      assert.equal(summaryOf("prod", events([provider(op)]), 0).verdict, "nothing");
    }
    assert.match(says(provider("create-replacement")).join(), /every object is recreated/);
  });

  it("are not part of a plan: an approver may reach the cluster in another way", () => {
    assert.deepEqual(planOf("prod", { steps: [provider("update")] }).changes, []);
    assert.equal(planOf("prod", { steps: [provider("create-replacement")] }).changes.length, 1);
  });
});

describe("what needs a second look", () => {
  const gone = (kind: string, protect = false) =>
    object("delete", kind, { before: {}, in: web, ...(protect ? { protect } : {}) });

  for (const kind of ["core/v1:Namespace", "core/v1:Service", "apps/v1:StatefulSet"]) {
    it(`is the end of a ${kind.split(":")[1] ?? ""}`, () => {
      assert.equal(summaryOf("prod", events([gone(kind)]), 0).verdict, "danger");
    });
  }

  it("is not the end of a job, but that of a protected one", () => {
    assert.equal(summaryOf("prod", events([gone("batch/v1:CronJob")]), 0).verdict, "changes");
    assert.equal(summaryOf("prod", events([gone("batch/v1:CronJob", true)]), 0).verdict, "danger");
  });

  it("is an object that a renamed resource takes over, for it is deleted then", () => {
    const create = object("create", "batch/v1:CronJob", { after: {}, in: ["ScheduledJob", "new"] });
    const renamed = { ...create.new, inputs: { metadata: { name: "old", namespace: "orders" } } };
    const steps = [
      { ...create, new: { ...renamed, type: create.type, urn: create.urn } },
      object("delete", "batch/v1:CronJob", { before: {}, in: ["ScheduledJob", "old"] }),
    ];
    const { notes, verdict } = summaryOf("prod", events(steps), 0);
    assert.equal(verdict, "danger");
    assert.match(notes[0] ?? "", /takes over CronJob old\. .* missing until the next update/);
  });

  for (const answer of [
    "spec.selector: Invalid value: {}: field is immutable",
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
  ]) {
    it(`is what the cluster does not even let be tried (${answer.slice(0, 24)}...)`, () => {
      const selector = (app: string): Inputs => ({ spec: { selector: { matchLabels: { app } } } });
      const step = deployment(selector("a"), selector("b"), "create-replacement", [
        "spec.selector",
      ]);
      const errors = [
        { message: `Deployment.apps "x" is invalid: ${answer}`, urn: step.urn },
        { message: "preview failed", urn: "" },
      ];
      const summary = summaryOf("prod", events([step], { complete: false, errors }), 255);
      assert.equal(summary.verdict, "danger");
      assert.deepEqual(summary.errors, []);
      assert.match(
        summary.notes.join(),
        /A changed field of Deployment services-orders is immutable/,
      );
    });
  }
});

describe("a preview that failed", () => {
  it("says why, and for which resource", () => {
    const urn = object("create", "apps/v1:Deployment", { in: web }).urn;
    const errors = [{ message: "denied", urn }];
    const { errors: said, verdict } = summaryOf("prod", events([], { errors }), 255);
    assert.equal(verdict, "error");
    assert.deepEqual(said, ["Deployment services-orders: denied"]);
  });

  it("names the policy that refuses it", () => {
    const violations = [{ message: "no-latest: name a digest", urn: "" }];
    assert.deepEqual(summaryOf("prod", events([], { violations }), 255).errors, [
      "policy no-latest: name a digest",
    ]);
  });

  it("is never reported as nothing, also without a reason", () => {
    assert.equal(summaryOf("prod", events([]), 255).verdict, "error");
  });
});

describe("a production that was made and never deployed", () => {
  const errors = [
    { message: 'Stack "prod" runs no image yet: choose one with "npm run promote"', urn: "" },
    { message: "preview failed", urn: "" },
  ];
  it("is reported, and is not a failure: a branch cannot wait for a release", () => {
    const summary = summaryOf("prod", events([], { complete: false, errors }), 255);
    assert.equal(summary.verdict, "nothing");
    assert.equal(
      textOf(summary),
      "Preview of prod: production runs nothing yet: npm run promote\n",
    );
  });
  it("does not excuse another stack", () => {
    assert.equal(summaryOf("prod-canary", events([], { errors }), 255).verdict, "error");
  });
});

describe("a release that changes nothing else", () => {
  const labelled = (commit: string): Inputs => ({
    spec: {
      template: {
        metadata: { labels: { commit_id: commit, "tags.datadoghq.com/version": commit } },
        spec: { containers: [{ env: [{ name: "DD_VERSION", value: commit }], name: "web" }] },
      },
    },
  });

  it("is one line, with what it does to whom", () => {
    const summary = summaryOf(
      "prod",
      events([
        component("WebService", "services-orders"),
        deployment(labelled("1111111"), labelled("2222222")),
      ]),
      0,
    );
    assert.deepEqual(summary.groups, []);
    assert.deepEqual(textOf(summary).split("\n"), [
      "Preview of prod: new pods, rolling, no downtime",
      "release: version 1111111 → 2222222: new pods, rolling, no downtime (services-orders)",
      "",
    ]);
  });
});

describe("a component under another name", () => {
  const ingress = (host: string): Inputs => ({ spec: { rules: [{ host }] } });
  const renamed = (host: string) => [
    component("WebService", "old", "delete"),
    component("WebService", "new", "create"),
    object("delete", "core/v1:Service", { before: {}, in: ["WebService", "old"] }),
    object("delete", "networking.k8s.io/v1:Ingress", {
      before: ingress("a.example.com"),
      in: ["WebService", "old"],
    }),
    object("create", "networking.k8s.io/v1:Ingress", {
      after: ingress(host),
      in: ["WebService", "new"],
    }),
  ];

  it("continues to answer when the new one has its hosts", () => {
    assert.ok(says(...renamed("a.example.com")).some((words) => /^recreated as new/.test(words)));
  });

  it("ends when the new one has others", () => {
    assert.ok(!says(...renamed("b.example.com")).some((words) => /^recreated/.test(words)));
  });
});

describe("components to which the same happens", () => {
  it("are one group", () => {
    const jobs = Array.from({ length: 20 }, (_, n) => {
      const image = (of: string): Inputs => ({ spec: { jobTemplate: { spec: { image: of } } } });
      return object("update", "batch/v1:CronJob", {
        after: image("b"),
        before: image("a"),
        in: ["ScheduledJob", `job-${String(n)}`],
      });
    });
    const parents = jobs.map((_, n) => component("ScheduledJob", `job-${String(n)}`));
    const { groups } = summaryOf("prod", events([...parents, ...jobs]), 0);
    assert.equal(groups.length, 1);
    assert.equal(groups[0]?.names.length, 20);
    assert.match(
      textOf(summaryOf("prod", events([...parents, ...jobs]), 0)),
      /job-0, job-1, job-10, 17 more/,
    );
  });
});
