import assert from "node:assert/strict";
import { ReviewNamespace } from "../../../components/namespace/review-namespace";
import { identity } from "../../support/fixtures";
import { type Manifest, record, settled } from "../../support/mocks";

const namespaceType = "kubernetes:core/v1:Namespace";
const bindingType = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding";

describe("the rights in a review namespace", () => {
  it("belong to the namespace's branch, to main, and as in staging to developers", async () => {
    const recorder = await record();
    new ReviewNamespace("namespace", { branch: "feature/A_b", identity, namespace: "ns" });
    await settled();
    const { annotations } = recorder.one(namespaceType).inputs.metadata;
    assert.deepEqual(annotations, { "services-orders/owner": "circleci:refs/heads/feature/A_b" });
    const bindings = recorder.all(bindingType).map(({ inputs }) => {
      const { metadata, roleRef, subjects } = inputs;
      const names = subjects.map(({ kind, name }: Manifest) => `${String(kind)} ${String(name)}`);
      return [metadata.name, roleRef.name, ...names].join(", ");
    });
    const users = "User circleci:refs/heads/feature/A_b, User circleci:refs/heads/main";
    assert.deepEqual(bindings.sort(), [
      "developers, services-orders-developer, Group services-orders:developer",
      `review, services-orders-review-namespace, ${users}`,
    ]);
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
