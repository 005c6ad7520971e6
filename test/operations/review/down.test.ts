import assert from "node:assert/strict";
import { labels } from "../../../components/conventions/labels";
import { command } from "../../../lib/command";
import type { Cluster } from "../../../operations/pulumi/reach";
import { removeReview } from "../../../operations/review/down";
import { reviewStack } from "../../../operations/stacks/review-stack";
import { identityOf } from "../../../settings/identity";
import { Programs } from "../support/programs";

describe("the removal of a review stack", () => {
  const stack = reviewStack("review-a", {}, { clusterUid: "here" }, undefined);
  const { namespace } = stack;
  let programs: Programs;
  let asked: string[];
  beforeEach(() => {
    programs = new Programs();
    asked = [];
  });
  afterEach(() => {
    programs.remove();
  });

  /** A cluster in which the stack's namespace is, until it is deleted. */
  function cluster(deletion = async () => Promise.resolve(), more: object = {}): Cluster {
    let there = true;
    const metadata = { labels: labels(identityOf("review", "a"), "namespace"), ...more };
    return {
      kubectl: async (args) => {
        asked.push(args.join(" "));
        if (args[0] === "delete") {
          await deletion();
          there = false;
        }
        return there ? JSON.stringify({ metadata }) : "";
      },
      uid: "here",
    };
  }

  /** A state that holds nothing, and in which an update was killed while it made these. */
  function begun(...names: readonly string[]): void {
    const type = "kubernetes:core/v1:Namespace";
    const pending_operations = names.map((name) => ({
      resource: { inputs: { metadata: { name } }, type, urn: name },
      type: "creating",
    }));
    const state = JSON.stringify({ deployment: { pending_operations } });
    programs.add("pulumi", { "*stack export*": `echo '${state}'` });
  }

  const isRemoved = (): boolean =>
    programs.calls.some((call) => call.includes("stack rm review-a"));
  const isDeleted = (): boolean => asked.includes(`delete namespace ${namespace}`);

  it("takes a namespace along that a killed update had begun to make", async () => {
    begun(namespace);
    await removeReview(stack, true, cluster(), programs.workspace());
    assert.deepEqual([isDeleted(), isRemoved()], [true, true]);
  });

  for (const other of [[], ["services-orders-review-b"]]) {
    it(`leaves a namespace that another state may hold, and says so${other.length > 0 ? ", whatever else was begun" : ""}`, async () => {
      begun(...other);
      await assert.rejects(
        removeReview(stack, true, cluster(), programs.workspace()),
        new RegExp(`is gone, but its namespace ${namespace} is left.*kubectl delete namespace`),
      );
      assert.deepEqual([isDeleted(), isRemoved()], [false, true]);
    });
  }

  it("says why a namespace is left that it may not delete", async () => {
    begun(namespace);
    const forbidden = async (): Promise<void> => {
      await command("sh", ["-c", "echo error: forbidden >&2; exit 1"]);
    };
    await assert.rejects(
      removeReview(stack, true, cluster(forbidden), programs.workspace()),
      /is left: forbidden\. If no other state contains it: kubectl delete/,
    );
    assert.ok(isRemoved());
  });

  it("says nothing of a namespace that is going already", async () => {
    begun();
    const going = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    await removeReview(stack, true, cluster(undefined, going), programs.workspace());
    assert.deepEqual([isDeleted(), isRemoved()], [false, true]);
  });
});
