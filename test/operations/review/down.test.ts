import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { labels } from "../../../components/conventions/labels";
import type { Cluster } from "../../../operations/clients/kubectl";
import { removeReview } from "../../../operations/review/down";
import type { Deployment } from "../../../operations/pulumi/stacks";
import { reviewStack } from "../../../operations/stacks/review-stack";
import { identityOf } from "../../../settings/identity";
import { Programs } from "../support/programs";

interface Exported {
  readonly deployment: Deployment;
}

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

  const its = labels(identityOf("review", "a"), "namespace");
  const imported = (): string => join(programs.directory, "imported");
  const destroyed = (): string => join(programs.directory, "destroyed");

  /**
   * Returns a stand-in for a cluster in which the stack's namespace exists until `pulumi destroy`
   * has run.
   */
  function cluster(more: object = {}): Cluster {
    const managedFields = [{ manager: "pulumi-kubernetes-0a1b2c3d", operation: "Apply" }];
    const metadata = { labels: its, managedFields, name: namespace, ...more };
    return {
      kubectl: async (args) => {
        asked.push(args.join(" "));
        const object = { apiVersion: "v1", kind: "Namespace", metadata };
        return Promise.resolve(existsSync(destroyed()) ? "" : JSON.stringify(object));
      },
      uid: "here",
    };
  }

  /**
   * Sets the state of an update that was killed while it created the namespaces `names`. The state
   * contains no resources.
   */
  function begun(...names: readonly string[]): void {
    const type = "kubernetes:core/v1:Namespace";
    const pending_operations = names.map((name) => {
      const inputs = { apiVersion: "v1", kind: "Namespace", metadata: { labels: its, name } };
      return { resource: { inputs, type, urn: name }, type: "creating" };
    });
    const state = JSON.stringify({ deployment: { pending_operations } });
    programs.add("pulumi", {
      "*stack export*": `if [ -e ${imported()} ]; then cat ${imported()}; else echo '${state}'; fi`,
      "*stack import*": `cat > ${imported()}`,
      "destroy*": `touch ${destroyed()}`,
    });
  }

  const isRemoved = (): boolean =>
    programs.calls.some((call) => call.includes("stack rm review-a"));
  const isDeleted = (): boolean => asked.some((call) => call.startsWith("delete"));

  it("also deletes a namespace that a killed update had begun to create", async () => {
    begun(namespace);
    await removeReview(stack, true, cluster(), programs.workspace());
    const { deployment } = JSON.parse(readFileSync(imported(), "utf8")) as Exported;
    assert.deepEqual(
      deployment.resources?.map(({ id }) => id),
      [namespace],
    );
    assert.deepEqual([existsSync(destroyed()), isRemoved()], [true, true]);
  });

  for (const other of [[], ["services-orders-review-b"]]) {
    it(`leaves a namespace that another state may hold, and says so${other.length > 0 ? ", no matter what else was begun" : ""}`, async () => {
      begun(...other);
      await assert.rejects(
        removeReview(stack, true, cluster(), programs.workspace()),
        new RegExp(`is gone, but its namespace ${namespace} is left.*kubectl delete namespace`),
      );
      assert.deepEqual([isDeleted(), isRemoved()], [false, true]);
    });
  }

  it("says nothing of a namespace that is going already", async () => {
    begun();
    const going = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    await removeReview(stack, true, cluster(going), programs.workspace());
    assert.deepEqual([isDeleted(), isRemoved()], [false, true]);
  });
});
