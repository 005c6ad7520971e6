import assert from "node:assert/strict";
import { parseStack } from "../../../environments";
import { stackNamed } from "../../../operations/stacks/review-stack";

describe("the stack that a command is asked for", () => {
  it("is the one that is named", () => {
    assert.equal(stackNamed("prod", { CIRCLE_BRANCH: "a" }, "b"), "prod");
  });

  it("is that of the branch for review: first the branch of CircleCI, then that of git", () => {
    assert.equal(stackNamed("review", { CIRCLE_BRANCH: "feature-a" }, "b"), "review-feature-a");
    assert.equal(stackNamed("review", { CIRCLE_BRANCH: "" }, "feature-b"), "review-feature-b");
    assert.equal(parseStack(stackNamed("review", {}, "x`$(id)`"))?.environment, "review");
  });

  it("is that of the pull request that was closed, when main tears it down", () => {
    const env = { CIRCLE_BRANCH: "main", REVIEW_BRANCH: "feature-c" };
    assert.equal(stackNamed("review", env, "main"), "review-feature-c");
  });

  it("is an error for review without a branch, or on main", () => {
    assert.throws(() => stackNamed("review", {}, ""), /no branch is checked out/);
    assert.throws(() => stackNamed("review", {}, "main"), /the name is reserved/);
  });
});
