import assert from "node:assert/strict";
import { ciRoles } from "../../components/conventions/ci-roles";
import { issuer, ofBranches, trustPolicy } from "../../platform/trust";
import { deployProjectId, organization, projectId, settings, user } from "../support/platform";
import { mayAssume } from "../support/iam-evaluator";

const { circleci } = settings;
const from = issuer(circleci);
const providerArn = `arn:aws:iam::111122223333:oidc-provider/${from}`;

/** Returns the claims of a token in the format of CircleCI, version 2. */
function token(ref: string, change: Readonly<Record<string, string>> = {}) {
  const sub = `org/${organization}/project/${projectId}/user/${user}/vcs-origin/${circleci.vcsOrigin}/vcs-ref/${ref}`;
  return { aud: organization, "oidc.circleci.com/project-id": projectId, sub, ...change };
}

const main = token("refs/heads/main");
const branch = token("refs/heads/feature/a");
const otherProject = "00000000-0000-4000-8000-0000000000ff";

/** Returns the purposes whose roles a token with these claims may take. */
function roles(
  claims: Readonly<Record<string, string>>,
  tokenIssuer = from,
  trusted = circleci,
): readonly string[] {
  return ciRoles.filter((ciRole) =>
    mayAssume(trustPolicy(trusted, providerArn, ciRole), tokenIssuer, claims),
  );
}

describe("the trust policies", () => {
  it("let a job of a branch take the roles for previews and review stacks only", () => {
    assert.deepEqual(roles(branch), ["preview", "review"]);
  });

  it("let a job of main take every role where there is no deploy project: docs/trust.md", () => {
    assert.deepEqual(roles(main), [...ciRoles]);
  });

  it("refuse another project, by the subject and by the project's claim", () => {
    const sub = main.sub.replace(projectId, otherProject);
    assert.deepEqual(roles({ ...main, "oidc.circleci.com/project-id": otherProject, sub }), []);
    assert.deepEqual(roles({ ...main, "oidc.circleci.com/project-id": otherProject }), []);
    assert.deepEqual(roles({ ...main, sub }), []);
  });

  it("refuse another organization's issuer, another audience, and another repository", () => {
    assert.deepEqual(roles(main, `oidc.circleci.com/org/${otherProject}`), []);
    assert.deepEqual(roles({ ...main, aud: "sts.amazonaws.com" }), []);
    const sub = main.sub.replace("/example/", "/somebody/");
    assert.deepEqual(roles({ ...main, sub }), []);
  });

  it("refuse a token without branch, as pipelines by custom webhooks have", () => {
    const sub = main.sub.slice(0, main.sub.indexOf("/vcs-origin"));
    assert.deepEqual(roles({ ...main, sub }), []);
    assert.deepEqual(roles(token("refs/tags/v1")), []);
  });

  it("do not take a branch for main whose name ends like main's subject", () => {
    const tail = main.sub.slice(main.sub.indexOf("/vcs-origin"));
    assert.deepEqual(roles(token(`refs/heads/x${tail}`)), ["preview", "review"]);
    assert.deepEqual(roles(token("refs/heads/main2")), ["preview", "review"]);
    assert.deepEqual(roles(token("refs/heads/x/refs/heads/main")), ["preview", "review"]);
  });

  it("have an evaluator that refuses what it does not know", () => {
    const policy = trustPolicy(circleci, providerArn, "review");
    const [statement] = policy.Statement;
    assert.ok(statement !== undefined);
    const Condition = { StringNotLike: { [`${from}:sub`]: "x" } };
    assert.throws(
      () => mayAssume({ Statement: [{ ...statement, Condition }] }, from, main),
      /knows no operator StringNotLike/,
    );
  });
});

describe("the trust policies with a deploy project", () => {
  const trusted = { ...circleci, deployProjectId };
  const ofDeploy = (ref: string, by = user) => {
    const { sub, ...rest } = token(ref);
    return {
      ...rest,
      "oidc.circleci.com/project-id": deployProjectId,
      sub: sub.replace(projectId, deployProjectId).replace(user, by),
    };
  };
  const others = ciRoles.filter((ciRole) => !ofBranches.includes(ciRole));
  const refs = ["main", "feature/a", "x/vcs-ref/refs/heads/main"].map((ref) => `refs/heads/${ref}`);
  const users = [user, "00000000-0000-4000-8000-00000000000b"];

  it("refuse to every role but two every token of the service's own project", () => {
    assert.equal(others.length, 4);
    for (const ref of refs) {
      for (const by of users) {
        // IAM does not evaluate the claim about a rerun with SSH, so this claim must not change the
        // result.
        for (const rerun of ["true", "false"]) {
          const { sub, ...rest } = token(ref, { "oidc.circleci.com/ssh-rerun": rerun });
          const claims = { ...rest, sub: sub.replace(user, by) };
          assert.deepEqual(roles(claims, from, trusted), ["preview", "review"], ref);
        }
      }
    }
  });

  it("let main of the deploy project take every role, except that of review stacks", () => {
    const found = roles(ofDeploy("refs/heads/main"), from, trusted);
    assert.deepEqual(
      found,
      ciRoles.filter((ciRole) => ciRole !== "review"),
    );
    for (const ref of refs.slice(1)) assert.deepEqual(roles(ofDeploy(ref), from, trusted), []);
  });

  it("refuse production's role to everyone who is not listed as an approver, and to listed ones in the service's project", () => {
    const [approver = ""] = users.slice(1);
    const listed = { ...trusted, approverIds: [approver, "00000000-0000-4000-8000-00000000000e"] };
    const main = "refs/heads/main";
    assert.ok(roles(ofDeploy(main, approver), from, listed).includes("prod"));
    assert.ok(!roles(ofDeploy(main), from, listed).includes("prod"));
    assert.ok(roles(ofDeploy(main), from, listed).includes("staging"));
    const { sub, ...rest } = token(main);
    const inService = { ...rest, sub: sub.replace(user, approver) };
    assert.deepEqual(roles(inService, from, listed), ["preview", "review"]);
  });

  it("narrow production to the approvers without a deploy project, too", () => {
    const [approver = ""] = users.slice(1);
    const listed = { ...circleci, approverIds: [approver] };
    assert.ok(!roles(token("refs/heads/main"), from, listed).includes("prod"));
  });
});
