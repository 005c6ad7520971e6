import assert from "node:assert/strict";
import { budgets, isDnsLabel } from "../../../components/conventions/names";
import { labels } from "../../../components/conventions/labels";
import {
  expiryOf,
  isOurs,
  recordUpdate,
  reviewNamespace,
} from "../../../operations/stacks/review-namespace";
import { mostStacks } from "../../../operations/stacks/review-limit";
import { stackOf } from "../../../operations/stacks/review-stack";
import { identityOf } from "../../../settings/identity";

const head = "feature/forty-characters-that-all-of-them-share-";

/**
 * Returns branch names in seven forms. In three of the forms, all names begin with the same 48
 * characters. In the last form, the names contain a command for the shell.
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

  const now = new Date("2026-01-10T00:00:00Z");
  const of = (annotations: Readonly<Record<string, string>>) =>
    reviewNamespace(
      {
        metadata: {
          annotations,
          creationTimestamp: "2026-01-01T00:00:00Z",
          name: "services-orders-review-a",
          uid: "1",
        },
      },
      now,
    );
  const update = "services-orders/last-update";

  it("is known by its namespace, whose owner is the branch", () => {
    const owner = { "services-orders/owner": "circleci:refs/heads/feature/a" };
    assert.deepEqual([of(owner).branch, of(owner).slug], ["feature/a", "a"]);
    for (const other of ["", "ada", "circleci:refs/heads/", "circleci:refs/heads/a\u001b[31m"]) {
      assert.equal(of({ "services-orders/owner": other }).branch, undefined, other);
    }
  });

  it("lives 72 h after its creation, or after its last update", () => {
    const ends = (text?: string): string =>
      expiryOf(of(text === undefined ? {} : { [update]: text })).toISOString();
    assert.equal(ends(), "2026-01-04T00:00:00.000Z");
    assert.equal(ends("2026-01-09T00:00:00Z"), "2026-01-12T00:00:00.000Z");
    for (const impossible of ["2026-01-10T01:00:00Z", "2999-01-01T00:00:00Z", "soon"]) {
      assert.equal(ends(impossible), "2026-01-04T00:00:00.000Z", impossible);
    }
  });

  it("lives at most 13 days after its last update, no matter what its branch writes", () => {
    const extended = { "services-orders/extended-until": "2999-01-01T00:00:00Z" };
    assert.equal(expiryOf(of(extended)).toISOString(), "2026-01-14T00:00:00.000Z");
  });

  it("records an update in its own namespace only", async () => {
    const own = labels(identityOf("review", "a"), "namespace");
    for (const [found, writes] of [
      [own, true],
      [{}, false],
    ] as const) {
      const calls: (readonly string[])[] = [];
      const metadata = {
        creationTimestamp: "2026-01-01T00:00:00Z",
        labels: found,
        name: "services-orders-review-a",
        uid: "1",
      };
      const kubectl = async (args: readonly string[]): Promise<string> => {
        calls.push(args);
        return Promise.resolve(JSON.stringify({ metadata }));
      };
      await recordUpdate("review-a", { person: "Ada", remote: undefined }, { kubectl });
      const written = calls.find(([what]) => what === "annotate");
      assert.equal(written !== undefined, writes);
      if (written === undefined) continue;
      const start = "annotate namespace services-orders-review-a --overwrite";
      assert.ok(written.join(" ").startsWith(`${start} services-orders/person=Ada ${update}=20`));
    }
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
