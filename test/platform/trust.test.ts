import assert from "node:assert/strict";
import { ciRoles } from "../../components/conventions/ci-roles";
import { issuer, trustPolicy } from "../../platform/trust";
import { mayAssume } from "../support/iam-evaluator";
import { deployProjectId, projectId, settings, user } from "../support/platform";

const { circleci } = settings;
const from = issuer(circleci);
const providerArn = `arn:aws:iam::111122223333:oidc-provider/${from}`;

type Claims = Readonly<Record<string, string>>;

/**
 * Returns the claims that IAM compares in the token of a job. This test cannot import the stand-in
 * for CircleCI's tokens (pipeline/run/token.ts), because that file is an ES module. The tests in
 * test/attacks use the stand-in.
 */
function claimsOf(ref: string, id = projectId): Claims {
  const { organizationId, vcsOrigin } = circleci;
  return {
    aud: organizationId,
    "oidc.circleci.com/project-id": id,
    sub: `org/${organizationId}/project/${id}/user/${user}/vcs-origin/${vcsOrigin}/vcs-ref/${ref}`,
  };
}
const token = (ref: string) => claimsOf(ref);
const subjectOf = ({ sub = "" }: Claims): string => sub;

const main = token("refs/heads/main");
const branch = token("refs/heads/feature/a");
const otherProject = "00000000-0000-4000-8000-0000000000ff";

/** Returns the roles that a job may assume with a token with these claims. */
function roles(claims: Claims, tokenIssuer = from, trusted = circleci): readonly string[] {
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
    const sub = subjectOf(main).replace(projectId, otherProject);
    assert.deepEqual(roles({ ...main, "oidc.circleci.com/project-id": otherProject, sub }), []);
    assert.deepEqual(roles({ ...main, "oidc.circleci.com/project-id": otherProject }), []);
    assert.deepEqual(roles({ ...main, sub }), []);
  });

  it("refuse another organization's issuer, another audience, and another repository", () => {
    assert.deepEqual(roles(main, `oidc.circleci.com/org/${otherProject}`), []);
    assert.deepEqual(roles({ ...main, aud: "sts.amazonaws.com" }), []);
    const sub = subjectOf(main).replace("/example/", "/somebody/");
    assert.deepEqual(roles({ ...main, sub }), []);
  });

  it("refuse a token without branch, as pipelines by custom webhooks have", () => {
    const sub = subjectOf(main).slice(0, subjectOf(main).indexOf("/vcs-origin"));
    assert.deepEqual(roles({ ...main, sub }), []);
    assert.deepEqual(roles(token("refs/tags/v1")), []);
  });

  it("do not take a branch for main whose name ends like main's subject", () => {
    const tail = subjectOf(main).slice(subjectOf(main).indexOf("/vcs-origin"));
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
  const ofDeploy = (ref: string) => claimsOf(ref, deployProjectId);

  it("let main of the deploy project take every role, except that of review stacks", () => {
    const found = roles(ofDeploy("refs/heads/main"), from, trusted);
    assert.deepEqual(
      found,
      ciRoles.filter((ciRole) => ciRole !== "review"),
    );
    for (const ref of ["refs/heads/feature/a", "refs/heads/x/vcs-ref/refs/heads/main"]) {
      assert.deepEqual(roles(ofDeploy(ref), from, trusted), []);
    }
  });
});
