import assert from "node:assert/strict";
import { mock } from "node:test";
import { reports } from "../../../lib/reports";
import { deploy } from "../../../operations/deploy/deploy";
import type { Workspace } from "../../../operations/pulumi/run-pulumi";
import { ensureStack } from "../../../operations/deploy/ensure-stack";
import { buildImage } from "../../../operations/release/build-image";
import { stackOf } from "../../../operations/stacks/review-stack";
import { reviewUp } from "../../../operations/review/up";
import type { Settings } from "../../../settings";
import { Programs, reviewTarget } from "../support/programs";

const tags = { branch: "feature/a", clusterUid: "here" };

describe("a stack that is about to be changed", () => {
  let programs: Programs;
  beforeEach(() => {
    programs = new Programs();
    programs.add("pulumi", { "*stack export*": `echo '{}'` });
  });
  afterEach(() => {
    programs.remove();
  });

  const made = (): readonly string[] =>
    programs.calls
      .filter((call) => call.includes("stack init"))
      .map((call) => /stack init (\S+)/.exec(call)?.[1] ?? "");

  it("is made with the tags of its branch and its cluster, when it is a review stack", async () => {
    const target = reviewTarget(programs.workspace());
    await ensureStack(target);
    assert.deepEqual(made(), [target.settings.stack]);
    assert.deepEqual(Object.fromEntries(programs.tags), tags);
  });

  it("is created without tags when it is not a review stack", async () => {
    const target = reviewTarget(programs.workspace());
    const settings = { ...target.settings, environment: "staging", stack: "staging" } as Settings;
    await ensureStack({ ...target, settings, stacks: Array<string>(20).fill("review-a") });
    assert.deepEqual([made(), programs.tags], [["staging"], []]);
  });

  it("is not made when there are as many review stacks as may be", async () => {
    const stacks = ["review-a", "prod", "review-b"];
    const target = reviewTarget(programs.workspace({ REVIEW_STACKS_MAX: "2" }), { stacks });
    await assert.rejects(ensureStack(target), /Review stack limit reached \(2 of 2\)/);
    assert.deepEqual(programs.calls, []);
  });

  it("is updated when there are as many, and keeps its tags", async () => {
    const stacks = ["review-a", "review-b"];
    const workspace = programs.workspace({ REVIEW_STACKS_MAX: "2" });
    await ensureStack(reviewTarget(workspace, { last: { outputs: {}, tags }, stacks }));
    assert.deepEqual([made(), programs.tags], [[], []]);
  });

  it("gets the tags that a killed command left out, and keeps the others", async () => {
    const last = { outputs: {}, tags: { branch: "feature/a" } };
    await ensureStack(reviewTarget(programs.workspace(), { last }));
    assert.deepEqual(
      programs.tags.map(([name]) => name),
      ["clusterUid"],
    );
  });

  it("is refused to another branch, and to a branch without a name", async () => {
    const workspace = programs.workspace();
    const last = { outputs: {}, tags: { ...tags, branch: "feature/b" } };
    await assert.rejects(
      ensureStack(reviewTarget(workspace, { last })),
      /belongs to branch "feature\/b"/,
    );
    const target = reviewTarget(workspace);
    const release = { ...target.settings.release, branch: "unknown" };
    const settings = { ...target.settings, release };
    await assert.rejects(ensureStack({ ...target, settings }), /check the branch out/);
    assert.deepEqual(programs.calls, []);
  });

  const branch = "feature/a";
  const commands: Readonly<Record<string, (workspace: Workspace) => Promise<void>>> = {
    deploy: async (workspace) => deploy(stackOf(branch), { yes: true }, workspace),
    image: async (workspace) => buildImage(stackOf(branch), {}, workspace),
    "review up": async (workspace) => reviewUp(branch, {}, workspace),
  };
  for (const [name, run] of Object.entries(commands)) {
    it(`is not made by ${name} either, when there are as many review stacks as may be`, async () => {
      programs.add("pulumi", { "*stack ls*": `echo '[{"name":"review-a"}]'` });
      programs.add("kubectl", { "*": `echo '{"items":[],"metadata":{"uid":"here"}}'` });
      const env = { RELEASE_BRANCH: branch, REVIEW_STACKS_MAX: "1", SANDBOX_EKS_CLUSTER: "none" };
      await assert.rejects(run(programs.workspace(env)), /Review stack limit reached \(1 of 1\)/);
      assert.deepEqual(made(), []);
    });
  }

  it("is not made by image --skip-at-limit, which leaves no image for the scan", async () => {
    const left = mock.method(reports, "leaveNoImage", () => undefined);
    programs.add("pulumi", { "*stack ls*": `echo '[{"name":"review-a"}]'` });
    programs.add("kubectl", { "*": `echo '{"items":[],"metadata":{"uid":"here"}}'` });
    const env = { RELEASE_BRANCH: branch, REVIEW_STACKS_MAX: "1", SANDBOX_EKS_CLUSTER: "none" };
    const workspace = programs.workspace(env);
    await buildImage(stackOf(branch), { skipAtLimit: true }, workspace).finally(() => {
      left.mock.restore();
    });
    const why = left.mock.calls.map(({ arguments: given }) => given);
    assert.deepEqual(why, [["Review stack limit reached (1 of 1)"]]);
    assert.deepEqual([made(), programs.calls.filter((call) => call.includes(" up "))], [[], []]);
  });
});
