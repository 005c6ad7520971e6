import assert from "node:assert/strict";
import { ciRoles } from "../../components/conventions/ci-roles";
import { type ContextName, contexts } from "../../pipeline/contexts";
import { deployProjectId, settings } from "../support/platform";
import { developer, merger, serviceProject } from "./support/actors";
import { type JobRun, refusedContexts, runs } from "./support/circleci-stand-in";
import { rolesOf } from "./support/roles";

/** A job of main that needs no approval and names no context, such as `check`. */
const jobOfMain: JobRun = {
  contexts: [],
  pipeline: { actor: merger, checkoutBranch: "main", project: serviceProject },
};
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
    const rerun = { ...jobOfMain, contexts: everyContext, rerunWithSshBy: developer };
    assert.deepEqual(refusedContexts(rerun), everyContext);
  });

  it("C1 fails with a deploy project: AWS refuses each role but two to its own project's jobs", () => {
    const rerun = { ...jobOfMain, rerunWithSshBy: developer };
    assert.deepEqual(rolesOf(rerun, withDeployProject), ["preview", "review"]);
  });

  it("C1 succeeds in the weaker mode: an SSH rerun of main's check takes every role", () => {
    assert.deepEqual(rolesOf({ ...jobOfMain, rerunWithSshBy: developer }), [...ciRoles]);
  });

  it("C1 fails for production in the weaker mode with approvers listed: the actor is not one", () => {
    const listed = { ...settings.circleci, approverIds: [merger.id] };
    const found = rolesOf({ ...jobOfMain, rerunWithSshBy: developer }, listed);
    assert.ok(!found.includes("prod"));
    assert.ok(found.includes("staging"));
  });

  /**
   * A pipeline that a developer starts with "Trigger pipeline". It has the branch's configuration
   * and main's code.
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
      "slack",
    ]);
  });

  it("C4 fails with a deploy project: AWS does not ask which branch a checkout has", () => {
    assert.deepEqual(rolesOf(splitRefs, withDeployProject), ["preview", "review"]);
  });

  it("C4 succeeds in the weaker mode: a branch's configuration takes every role by main's checkout", () => {
    assert.deepEqual(rolesOf(splitRefs), [...ciRoles]);
  });
});
