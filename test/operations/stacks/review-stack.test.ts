import assert from "node:assert/strict";
import { budgets, isDnsLabel } from "../../../components/conventions/names";
import { labels } from "../../../components/conventions/labels";
import { isOurs } from "../../../operations/review/down";
import {
  expiryOf,
  mostStacks,
  reviewStack,
  stackOf,
} from "../../../operations/stacks/review-stack";
import { identityOf } from "../../../settings/identity";

const head = "feature/forty-characters-that-all-of-them-share-";

/**
 * Returns branch names in the forms that people and bots use. In three of seven forms, the first 40
 * characters are the same.
 */
function branches(count: number): readonly string[] {
  const kinds = [
    (n: number) => `${head}${String(n)}`,
    (n: number) => `${head}${"x".repeat(n % 150)}-${String(n)}`,
    (n: number) => `Feature/A_${String(n)}`,
    (n: number) => `feature/a-${String(n)}`,
    (n: number) => `feature-a.${String(n)}`,
    (n: number) => `${head}ветка-${String(n)}`,
    (n: number) => `x\`$(id)\`${String(n)}`,
  ];
  return Array.from({ length: count }, (_, n) => kinds[n % kinds.length]?.(n) ?? "");
}

describe("the review stack of a branch", () => {
  it("is unique among 10,000 branches, and within every length limit", () => {
    const names = branches(10_000);
    assert.equal(new Set(names).size, 10_000);
    const stacks = names.map(stackOf);
    assert.equal(new Set(stacks).size, 10_000);
    for (const stack of stacks) {
      assert.ok(stack.length <= budgets.stack, stack);
      assert.ok(isDnsLabel(`services-orders-${stack}`), stack);
      assert.ok(stack.length - "review-".length <= budgets.slug, stack);
    }
  });

  for (const branch of ["main", "master", "prod", "staging", "local", "prod-canary"]) {
    it(`is refused to ${branch}`, () => {
      assert.throws(() => stackOf(branch), /name is reserved/);
    });
  }

  const updated = new Date("2026-01-01T00:00:00Z");
  const tags = {
    branch: "feature/a",
    clusterUid: "tag",
    created: updated.toISOString(),
    ttl: "24",
  };

  it("is known by its tags, also when its first update failed", () => {
    const stack = reviewStack("review-a", {}, tags, undefined);
    assert.deepEqual(
      [stack.branch, stack.clusterUid, stack.namespace, expiryOf(stack)?.toISOString()],
      ["feature/a", "tag", "services-orders-review-a", "2026-01-02T00:00:00.000Z"],
    );
  });

  it("is known by its outputs when plain pulumi made it, and lives 72 h", () => {
    const outputs = { branch: "feature/a", clusterUid: "output" };
    const stack = reviewStack("review-a", outputs, {}, updated);
    assert.deepEqual(
      [stack.branch, stack.clusterUid, expiryOf(stack)?.toISOString()],
      ["feature/a", "output", "2026-01-04T00:00:00.000Z"],
    );
  });

  it("has a namespace that is proven by every label, not by its name", () => {
    const own = labels(identityOf("review", "a"), "namespace");
    assert.ok(isOurs(own, "a"));
    assert.ok(!isOurs(own, "b"));
    assert.ok(!isOurs({}, "a"));
    assert.ok(!isOurs({ ...own, "app.kubernetes.io/managed-by": "Helm" }, "a"));
  });

  it("is one of as many as are allowed", () => {
    assert.equal(mostStacks({ cwd: ".", env: {} }), 10);
    assert.equal(mostStacks({ cwd: ".", env: { REVIEW_STACKS_MAX: "25" } }), 25);
    assert.equal(mostStacks({ cwd: ".", env: { REVIEW_STACKS_MAX: "many" } }), 10);
  });
});
