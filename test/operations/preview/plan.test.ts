import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json, Step } from "../../../operations/pulumi/events";
import { exceeds, loadPlan, planOf, savePlan } from "../../../operations/preview/plan";

const unknownMark = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function step(
  op: string,
  name: string,
  before?: Json,
  after?: Json,
  kind = "apps/v1:Deployment",
): Step {
  const type = `kubernetes:${kind}`;
  const urn = `urn:pulumi:prod::services-orders::services:k8s:WebService$${type}::${name}`;
  const state = (spec: Json) => ({ inputs: { metadata: { name }, spec }, type, urn });
  return {
    op,
    type,
    urn,
    ...(before === undefined ? {} : { old: state(before) }),
    ...(after === undefined ? {} : { new: state(after) }),
  };
}

const plan = (...steps: Step[]) => planOf("prod", { steps });
const replicas = (before: number, after: number) =>
  step("update", "web", { replicas: before }, { replicas: after });

describe("a change set", () => {
  const approved = plan(replicas(3, 4));

  it("is not larger than itself, nor is a smaller one", () => {
    assert.deepEqual(exceeds(approved, approved), []);
    assert.deepEqual(exceeds(approved, plan()), []);
  });

  it("is larger with another value, which is named next to the approved one", () => {
    assert.deepEqual(exceeds(approved, plan(replicas(3, 40))), [
      "Deployment web: spec.replicas was approved as 4, and is now 40",
    ]);
  });

  it("is larger with another field of the same object", () => {
    const more = step(
      "update",
      "web",
      { paused: false, replicas: 3 },
      { paused: true, replicas: 4 },
    );
    assert.deepEqual(exceeds(approved, plan(more)), [
      "Deployment web: spec.paused would now change too, to true",
    ]);
  });

  it("is larger with another object", () => {
    assert.deepEqual(exceeds(approved, plan(replicas(3, 4), step("delete", "other", {}))), [
      "Deployment other would now be deleted too",
    ]);
  });

  it("is larger when an update has become a replacement, and not the other way round", () => {
    const replacement = plan(
      step("create-replacement", "web", { replicas: 3 }, { replicas: 4 }),
      step("replace", "web", { replicas: 3 }, { replicas: 4 }),
    );
    assert.deepEqual(exceeds(approved, replacement), [
      "Deployment web was approved to be changed, and would now be REPLACED",
    ]);
    assert.deepEqual(exceeds(replacement, approved), []);
  });

  it("is not larger when a failed update has created what was approved, and has not finished it", () => {
    const created = plan(step("create", "web", undefined, { replicas: 4 }));
    const unfinished = step("update", "web", { replicas: 4 }, { replicas: 4 });
    assert.deepEqual(exceeds(created, plan(unfinished)), []);
    assert.equal(exceeds(created, plan(replicas(4, 40))).length, 1);
  });

  it("is larger when a new object is not the approved one", () => {
    const job = (schedule: string) => plan(step("create", "job", undefined, { schedule }));
    assert.deepEqual(exceeds(job("0 3 * * *"), job("0 3 * * *")), []);
    assert.equal(exceeds(job("0 3 * * *"), job("* * * * *")).length, 1);
  });

  it("of another stack is never what was approved", () => {
    assert.deepEqual(exceeds({ ...approved, stack: "staging" }, approved), [
      "the approved plan is for stack staging, and this plan is for stack prod",
    ]);
  });

  it("covers values that were unknown at the approval, such as the digest of an image not built yet", () => {
    const image = (ref: string) => plan(step("update", "web", { image: "a" }, { image: ref }));
    assert.deepEqual(exceeds(image(unknownMark), image("b")), []);
    assert.equal(exceeds(image("b"), image(unknownMark)).length, 1);
  });

  it("is the same when Pulumi only generates another name", () => {
    const named = (name: string) => {
      const type = "kubernetes:core/v1:ConfigMap";
      const urn = `urn:pulumi:prod::services-orders::${type}::web`;
      const annotations = { "pulumi.com/autonamed": "true" };
      const inputs = { metadata: { annotations, name } };
      return plan(
        { new: { inputs, type, urn }, op: "create", type, urn },
        step("update", "web", { configMap: "web-0000" }, { configMap: name }),
      );
    };
    assert.deepEqual(exceeds(named("web-1111"), named("web-2222")), []);
  });

  it("holds values of secret variables as hashes, which still differ", () => {
    const token = (value: string) =>
      plan(
        step(
          "update",
          "web",
          { env: [{ name: "API_TOKEN", value: "x" }] },
          { env: [{ name: "API_TOKEN", value }] },
        ),
      );
    assert.doesNotMatch(JSON.stringify(token("hush-hush")), /hush/);
    assert.equal(exceeds(token("hush-hush"), token("other")).length, 1);
  });

  it("holds those of a new object as hashes too, and what a new Secret holds", () => {
    const env = [
      { name: "PLAIN", value: "shown" },
      { name: "API_TOKEN", value: "hush-1" },
    ];
    const containers = [{ args: ["serve"], env, name: "web" }];
    const type = "kubernetes:core/v1:Secret";
    const urn = `urn:pulumi:prod::services-orders::${type}::web`;
    const inputs = { data: { "a.b": "hush-2" }, stringData: { password: "hush-3" } };
    const made = plan(step("create", "web", undefined, { template: { spec: { containers } } }), {
      ...{ new: { inputs, type, urn }, op: "create", type, urn },
    });
    assert.doesNotMatch(JSON.stringify(made), /hush/);
    const fields = made.changes[0]?.fields ?? {};
    const container = "spec.template.spec.containers[name=web]";
    assert.equal(fields[`${container}.env[name=PLAIN].value`], '"shown"');
    assert.equal(fields[`${container}.args[0]`], '"serve"');
    assert.match(fields[`${container}.env[name=API_TOKEN].value`] ?? "", /^sha256:/);
    const added = plan(step("update", "web", { containers: [] }, { containers: [{ env }] }));
    assert.doesNotMatch(JSON.stringify(added), /hush/);
  });
});

describe("a saved plan", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-plan-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is read as it was", () => {
    const file = join(directory, "plan.json");
    savePlan(file, plan(replicas(1, 2)));
    assert.deepEqual(loadPlan(file), plan(replicas(1, 2)));
  });

  for (const [what, text] of [
    ["is not there", undefined],
    ["is not JSON", "{"],
    ["is of another version", '{"version":2,"stack":"prod","changes":[]}'],
  ] as const) {
    it(`that ${what} is refused with the command that makes one`, () => {
      const file = join(directory, "plan.json");
      if (text !== undefined) writeFileSync(file, text);
      assert.throws(() => loadPlan(file), /npm run preview -- STACK --save-plan/);
    });
  }
});
