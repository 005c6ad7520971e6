import assert from "node:assert/strict";
import { ReviewNamespace } from "../../../components/namespace/review-namespace";
import { identity } from "../../support/fixtures";
import { record, settled } from "../../support/mocks";

const namespaceType = "kubernetes:core/v1:Namespace";
const bindingType = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding";

describe("the rights in a review namespace", () => {
  it("belong to the namespace's branch, and to main", async () => {
    const recorder = await record();
    new ReviewNamespace("namespace", { branch: "feature/A_b", identity, namespace: "ns" });
    await settled();
    const { annotations } = recorder.one(namespaceType).inputs.metadata;
    assert.deepEqual(annotations, { "services-orders/owner": "circleci:refs/heads/feature/A_b" });
    const { roleRef, subjects } = recorder.one(bindingType).inputs;
    assert.equal(roleRef.name, "services-orders-review-namespace");
    assert.deepEqual(
      subjects.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`),
      ["User circleci:refs/heads/feature/A_b", "User circleci:refs/heads/main"],
    );
  });

  it("are not given to anyone when no branch is named", async () => {
    const recorder = await record();
    new ReviewNamespace("namespace", { identity, namespace: "ns" });
    await settled();
    assert.equal(recorder.one(namespaceType).inputs.metadata.annotations, undefined);
    assert.deepEqual(recorder.all(bindingType), []);
  });

  it("never need to delete a guardrail: all of them go with the namespace", async () => {
    const recorder = await record();
    new ReviewNamespace("namespace", { branch: "feature/x", identity, namespace: "ns" });
    await settled();
    const left = recorder
      .custom()
      .filter(
        ({ deletedWith, type }) => type !== namespaceType && !deletedWith.includes("Namespace"),
      )
      .map(({ name }) => name);
    assert.deepEqual(left, []);
  });
});
