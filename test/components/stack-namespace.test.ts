import assert from "node:assert/strict";
import { StackNamespace } from "../../components/stack-namespace";
import { identity } from "../fixtures";
import { matchesGolden } from "../golden";
import { record, settled, valueOf } from "../mocks";

const type = "kubernetes:core/v1:Namespace";

describe("StackNamespace", () => {
  it("makes a namespace that refuses pods below Pod Security restricted", async () => {
    const recorder = await record();
    const made = new StackNamespace("namespace", { identity, namespace: "ns" });
    await settled();
    const { inputs, parentage } = recorder.one(type);
    assert.equal(parentage, `services:k8s:StackNamespace$${type}`);
    assert.equal(inputs.metadata.labels["pod-security.kubernetes.io/enforce"], "restricted");
    assert.equal(await valueOf(made.namespace), "ns");
    matchesGolden("stack-namespace", recorder);
  });

  it("refuses a name that is no DNS label", async () => {
    await record();
    const make = () => new StackNamespace("namespace", { identity, namespace: "a_b" });
    assert.throws(make, {
      message:
        'StackNamespace "namespace": namespace must be a DNS label of at most 63 characters, got "a_b"; use lower case letters, digits and hyphens, and start with a letter',
    });
    await settled();
  });
});
