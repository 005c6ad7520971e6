import assert from "node:assert/strict";
import fc from "fast-check";
import { branchRoles, ciRoles } from "../../components/conventions/ci-roles";
import { type ContextName, contexts } from "../../pipeline/contexts";
import { type Actor, rerun } from "../../pipeline/run/actors";
import { deployProjectId, settings } from "../support/platform";
import { deployProject, developer, merger, serviceProject } from "./support/actors";
import { type JobRun, jobStart, refusedContexts, runs } from "./support/circleci-stand-in";
import { rolesOf } from "./support/roles";

/** A job of main that needs no approval and names no context, such as `check`. */
const jobOfMain: JobRun = {
  contexts: [],
  pipeline: { actor: merger, checkoutBranch: "main", project: serviceProject },
};
/** Returns the same job after a rerun with SSH. By default, the developer has rerun the job. */
const withSsh = (job: JobRun, by: Actor = developer): JobRun => ({
  ...job,
  rerun: { by, ssh: true },
});
const withDeployProject = { ...settings.circleci, deployProjectId };
const everyContext = Object.keys(contexts) as ContextName[];

describe("an attack on production's role, by someone who can push a branch", () => {
  it("gets no more than previews and review stacks by a pipeline of the branch itself", () => {
    const pipeline = { actor: developer, checkoutBranch: "evil", project: serviceProject };
    assert.deepEqual(rolesOf({ contexts: [], pipeline }), ["preview", "review"]);
    assert.deepEqual(
      everyContext.filter((context) => runs({ contexts: [context], pipeline })),
      ["preview", "review", "github", "slack-review"],
    );
  });

  it("gets no context by an SSH rerun", () => {
    const again = withSsh({ ...jobOfMain, contexts: everyContext });
    assert.deepEqual(refusedContexts(again), everyContext);
  });

  it("gets no context by a later rerun without SSH: CircleCI leaves SSH on", () => {
    const again = { ...jobOfMain, contexts: ["preview" as const] };
    assert.ok(runs({ ...again, rerun: { by: merger, ssh: false } }));
    const { rerun: last } = rerun({ ...withSsh(again), contexts: [] }, merger, { ssh: false });
    assert.ok(last !== undefined);
    assert.deepEqual(refusedContexts({ ...again, rerun: last }), ["preview"]);
  });

  it("gets no role by a token that it kept for an hour", () => {
    assert.deepEqual(rolesOf(withSsh(jobOfMain), settings.circleci, jobStart + 3599), [...ciRoles]);
    assert.deepEqual(rolesOf(withSsh(jobOfMain), settings.circleci, jobStart + 3600), []);
  });

  it("gets no role by a pipeline of a custom webhook: its token names no branch", () => {
    const pipeline = { ...jobOfMain.pipeline, trigger: "custom-webhook" as const };
    assert.deepEqual(rolesOf({ ...jobOfMain, pipeline }), []);
  });

  /** A job of main after an approval, with the context of production. */
  const approved = (approvedBy: Actor, organizationType: "circleci" | "github"): JobRun => ({
    approvedBy,
    contexts: ["prod"],
    pipeline: { ...jobOfMain.pipeline, organizationType },
  });

  it("H10 fails in an organization with groups: only a member of the group approves production", () => {
    assert.deepEqual(refusedContexts(approved(developer, "github")), ["prod"]);
    assert.ok(runs(approved({ ...developer, approver: true }, "github")));
    assert.ok(runs(approved({ ...developer, administrator: true }, "github")));
  });

  it("H10 fails for a member of the group, whose job a developer reruns", () => {
    const job = approved({ ...merger, approver: true }, "github");
    assert.deepEqual(refusedContexts({ ...job, rerun: { by: developer, ssh: false } }), ["prod"]);
  });

  it("H10 succeeds in an organization without groups: anyone who can push approves production", () => {
    assert.ok(runs(approved(developer, "circleci")));
  });

  it("C1 fails with a deploy project: AWS refuses each role but two to its own project's jobs", () => {
    assert.deepEqual(rolesOf(withSsh(jobOfMain), withDeployProject), ["preview", "review"]);
  });

  it("C1 succeeds in the weaker mode: an SSH rerun of main's check takes every role", () => {
    assert.deepEqual(rolesOf(withSsh(jobOfMain)), [...ciRoles]);
  });

  it("C1 fails for production in the weaker mode with approvers listed: the actor is not one", () => {
    const listed = { ...settings.circleci, approverIds: [merger.id] };
    const found = rolesOf(withSsh(jobOfMain), listed);
    assert.ok(!found.includes("prod"));
    assert.ok(found.includes("staging"));
  });

  /**
   * A job of a pipeline that a developer starts with "Trigger pipeline". The pipeline has the
   * branch's configuration and main's code.
   */
  const splitRefs: JobRun = {
    contexts: [],
    pipeline: {
      actor: developer,
      checkoutBranch: "main",
      configBranch: "evil",
      project: serviceProject,
    },
  };

  it("C4 fails at the contexts: their expression also asks for the configuration's ref", () => {
    assert.deepEqual(refusedContexts({ ...splitRefs, contexts: everyContext }), [
      "staging",
      "prod",
      "review-removal",
      "canary-removal",
      "notifier",
      "slack",
    ]);
  });

  it("C4 fails with a deploy project: AWS does not ask which branch a checkout has", () => {
    assert.deepEqual(rolesOf(splitRefs, withDeployProject), ["preview", "review"]);
  });

  it("C4 succeeds in the weaker mode: a branch's configuration takes every role by main's checkout", () => {
    assert.deepEqual(rolesOf(splitRefs), [...ciRoles]);
  });

  /**
   * Generates names of branches. Some of the names contain parts of the claim `sub` of a token of
   * main.
   */
  const anyBranch = fc.oneof(
    fc.constantFrom("main", "x/vcs-ref/refs/heads/main", "x/refs/heads/main", "main/x"),
    fc.string({ minLength: 1 }),
  );
  const anyActor = fc.uuid().map((id) => ({ id }));
  const anyRun = fc.record({
    contexts: fc.subarray(everyContext),
    pipeline: fc.record({
      actor: fc.oneof(anyActor, fc.constantFrom(developer, merger)),
      checkoutBranch: anyBranch,
      project: fc.constant(serviceProject),
    }),
    rerun: fc.record({ by: anyActor, ssh: fc.boolean() }),
  });
  const anyFirstRun = anyRun.map(({ contexts: given, pipeline }) => ({
    contexts: given,
    pipeline,
  }));
  const approverIds = [merger.id, "00000000-0000-4000-8000-00000000000e"];

  it("C1 fails with a deploy project: no token of the service's own project takes another role, for no branch, user, contexts or rerun", () => {
    for (const circleci of [withDeployProject, { ...withDeployProject, approverIds }]) {
      fc.assert(
        fc.property(fc.oneof(anyRun, anyFirstRun), (run) => {
          assert.deepEqual(rolesOf(run, circleci), branchRoles);
        }),
      );
    }
  });

  it("C1 fails for production where approvers are listed: AWS refuses every other user of the deploy project, too", () => {
    const listed = { ...withDeployProject, approverIds };
    const ofUser = (id: string) =>
      rolesOf(
        {
          contexts: [],
          pipeline: { actor: { id }, checkoutBranch: "main", project: deployProject },
        },
        listed,
      );
    for (const id of approverIds) assert.ok(ofUser(id).includes("prod"), id);
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        fc.pre(!approverIds.includes(id));
        assert.ok(!ofUser(id).includes("prod"));
        assert.ok(ofUser(id).includes("staging"));
      }),
    );
  });
});
