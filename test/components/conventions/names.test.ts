import assert from "node:assert/strict";
import fc from "fast-check";
import {
  isDnsLabel,
  labelValue,
  shortCommit,
  shortHash,
} from "../../../components/conventions/names";
import { parseStack, reservedSlugs, slugOf as slug } from "../../../environments";

/** Generates branch names: usual names, and any other texts of at most 80 characters. */
const branch = fc
  .oneof(
    fc.string({ maxLength: 80, minLength: 1 }),
    fc.string({ maxLength: 80, minLength: 1, unit: "grapheme" }),
    fc.stringMatching(/^(feature|fix|JIRA-[0-9]{1,4})[/_-][a-zA-Z0-9/_.-]{1,60}$/),
    fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/),
  )
  .filter((name) => !reservedSlugs.includes(name));

const runs = { numRuns: 10_000 };

describe("slug", () => {
  it("is a DNS label of at most 30 characters, for 10,000 names", () => {
    fc.assert(
      fc.property(branch, (name) => isDnsLabel(slug(name), 30)),
      runs,
    );
  });

  it("makes the name of a review stack of it, for 10,000 names", () => {
    fc.assert(
      fc.property(branch, (name) => {
        assert.deepEqual(parseStack(`review-${slug(name)}`), {
          environment: "review",
          slug: slug(name),
        });
      }),
      runs,
    );
  });

  it("is never the same for two of 10,000 names", () => {
    const names = new Set([...fc.sample(branch, 10_000)]);
    assert.equal(new Set([...names].map(slug)).size, names.size);
  });

  it("is never the same for two names that differ in what is lost", () => {
    const pairs = ["a/b", "a_b", "a.b", "a-b", "A/b", "a//b", "a-b-", "ä-b", "-a-b", "a b"];
    assert.equal(new Set(pairs.map(slug)).size, pairs.length);
  });

  it("of a slug is never that of another name", () => {
    fc.assert(
      fc.property(branch, (name) => {
        const once = slug(name);
        assert.ok(once === name || slug(once) !== once);
      }),
      runs,
    );
  });

  it("is the name itself when nothing is lost", () => {
    assert.equal(slug("add-export"), "add-export");
    assert.equal(slug("a".repeat(30)), "a".repeat(30));
  });

  it("ends with a hash of the full name when something is lost", () => {
    assert.equal(
      slug("feature/Add Export"),
      `feature-add-export-${shortHash("feature/Add Export")}`,
    );
    assert.equal(slug("a".repeat(31)), `${"a".repeat(21)}-${shortHash("a".repeat(31))}`);
    assert.equal(slug("42"), `b-42-${shortHash("42")}`);
  });

  it("ends with a hash when the name could be mistaken for a shortened one", () => {
    assert.equal(slug("fix-checkout"), `fix-checkout-${shortHash("fix-checkout")}`);
  });

  for (const name of ["main", "master", "local", "staging", "prod", "prod-canary"]) {
    it(`refuses ${name}`, () => {
      assert.throws(() => slug(name), {
        message: `branch "${name}" cannot have a review stack: the name is reserved`,
      });
    });
  }
});

describe("labelValue", () => {
  const legal = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

  it("is a legal label value, for 10,000 texts", () => {
    fc.assert(
      fc.property(fc.oneof(branch, fc.constant("")), (t) => legal.test(labelValue(t))),
      runs,
    );
  });

  it("is never the same for two of 10,000 texts", () => {
    const texts = new Set(fc.sample(branch, 10_000));
    assert.equal(new Set([...texts].map(labelValue)).size, texts.size);
  });

  it("keeps what is legal already", () => {
    assert.equal(labelValue("Release_1.2"), "Release_1.2");
  });
});

describe("shortCommit", () => {
  it("is 7 characters, and keeps what says that the code is not committed", () => {
    assert.equal(shortCommit("0123456789".repeat(4)), "0123456");
    assert.equal(shortCommit(`${"0123456789".repeat(4)}-dirty.abcdef0`), "0123456-dirty.abcdef0");
    assert.equal(shortCommit("unknown"), "unknown");
  });
});

describe("parseStack", () => {
  it("knows the fixed stacks, and the slug of each", () => {
    assert.deepEqual(parseStack("local"), { environment: "local", slug: "local" });
    assert.deepEqual(parseStack("staging"), { environment: "staging", slug: "staging" });
    assert.deepEqual(parseStack("prod"), { environment: "prod", slug: "prod" });
    assert.deepEqual(parseStack("prod-canary"), { environment: "canary", slug: "prod" });
  });

  for (const stack of [
    "production",
    "Local",
    "review-",
    "review-main",
    "review-A",
    "constructor",
    "",
  ]) {
    it(`knows no stack "${stack}"`, () => {
      assert.equal(parseStack(stack), undefined);
    });
  }
});
