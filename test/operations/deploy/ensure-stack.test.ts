import assert from "node:assert/strict";
import { labels } from "../../../components/conventions/labels";
import { deploy } from "../../../operations/deploy/deploy";
import type { Workspace } from "../../../operations/pulumi/run-pulumi";
import { ensureStack } from "../../../operations/deploy/ensure-stack";
import { buildImage } from "../../../operations/release/build-image";
import { stackOf } from "../../../operations/stacks/review-stack";
import { reviewUp } from "../../../operations/review/up";
import type { Settings } from "../../../settings";
import { identityOf } from "../../../settings/identity";
import { Programs, kubeSystem, reviewTarget } from "../support/programs";

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

  it("keeps the tags that it has", async () => {
    await ensureStack(reviewTarget(programs.workspace(), { last: { outputs: {}, tags } }));
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
  const namespace = (slug: string): object => ({
    metadata: {
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: labels(identityOf("review", slug), "namespace"),
      name: `services-orders-review-${slug}`,
      uid: "here",
    },
  });
  /**
   * Makes the stand-ins for pulumi and kubectl answer as if the cluster had one review stack, with
   * this slug.
   */
  const oneStack = (slug: string): Workspace => {
    // `pulumi stack init` fails, because the tests check only what the command does before this
    // call.
    programs.add("pulumi", { "*stack ls*": `echo '[]'`, "*stack init*": "exit 1" });
    programs.add("kubectl", {
      "*get namespaces*": `echo '${JSON.stringify({ items: [namespace(slug)] })}'`,
      "*": `echo '${kubeSystem}'`,
    });
    const env = { RELEASE_BRANCH: branch, REVIEW_STACKS_MAX: "1", SANDBOX_EKS_CLUSTER: "none" };
    return programs.workspace(env);
  };
  const commands: Readonly<Record<string, (workspace: Workspace) => Promise<void>>> = {
    deploy: async (workspace) => deploy(stackOf(branch), { yes: true }, workspace),
    "review up": async (workspace) => reviewUp(branch, {}, workspace),
  };
  for (const [name, run] of Object.entries(commands)) {
    it(`is not made by ${name} when there are as many review stacks as may be`, async () => {
      await assert.rejects(
        run(oneStack("a")),
        /Review stack limit reached \(1 of 1\).*Nothing was/,
      );
      assert.deepEqual(made(), []);
    });

    it(`is updated by ${name} if it is one of them`, async () => {
      const own = stackOf(branch).slice("review-".length);
      await assert.rejects(run(oneStack(own)), (error: Error) => !/limit/.test(error.message));
      assert.deepEqual(made(), [stackOf(branch)]);
    });
  }

  it("is made for an image when there are as many, because an image takes no place", async () => {
    await assert.rejects(buildImage(stackOf(branch), oneStack("a")));
    assert.deepEqual(made(), [stackOf(branch)]);
  });
});
