import assert from "node:assert/strict";
import { ciRoles } from "../../components/conventions/ci-roles";
import { branchesOf, issuer, trustPolicy } from "../../platform/trust";
import { organization, projectId, settings, user } from "../support/platform";
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

/** Returns the roles that a token with these claims may take. */
function roles(claims: Readonly<Record<string, string>>, tokenIssuer = from): readonly string[] {
  return ciRoles.filter((ciRole) =>
    mayAssume(trustPolicy(circleci, providerArn, branchesOf(ciRole)), tokenIssuer, claims),
  );
}

describe("the trust policies", () => {
  it("let a job of a branch take the roles for previews and review stacks only", () => {
    assert.deepEqual(roles(branch), ["preview", "review"]);
  });

  it("let a job of main take every role", () => {
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
    const policy = trustPolicy(circleci, providerArn, "*");
    const [statement] = policy.Statement;
    assert.ok(statement !== undefined);
    const Condition = { StringNotLike: { [`${from}:sub`]: "x" } };
    assert.throws(
      () => mayAssume({ Statement: [{ ...statement, Condition }] }, from, main),
      /knows no operator StringNotLike/,
    );
  });
});
