import assert from "node:assert/strict";
import fc from "fast-check";
import {
  labels,
  releaseLabels,
  selector,
  trackSelector,
} from "../../../components/conventions/labels";
import { identity } from "../../support/fixtures";

describe("labels", () => {
  it("of every object do not depend on the release, and contain the selector", () => {
    const all = labels(identity, "web");
    for (const [key, value] of Object.entries(selector(identity, "web"))) {
      assert.equal(all[key], value);
    }
    assert.deepEqual(Object.keys(all).sort(), [
      "app",
      "app.kubernetes.io/component",
      "app.kubernetes.io/instance",
      "app.kubernetes.io/managed-by",
      "app.kubernetes.io/name",
      "app.kubernetes.io/part-of",
      "protected_branch",
      "service",
    ]);
  });

  it("of the release are legal for any branch, and none of them is in a selector", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (branch) => {
        const released = releaseLabels(identity, { branch, commit: "unknown" });
        for (const value of Object.values(released)) {
          assert.match(value, /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/);
        }
        for (const key of Object.keys(trackSelector(identity, "web", "stable"))) {
          assert.ok(!(key in released));
        }
      }),
    );
  });

  it("tell web pods, jobs and databases apart in every selector", () => {
    const components = ["database", "job", "web"] as const;
    const selectors = components.map((component) => JSON.stringify(selector(identity, component)));
    assert.equal(new Set(selectors).size, components.length);
  });
});
