import assert from "node:assert/strict";
import {
  StackNamespace,
  type StackNamespaceArgs,
} from "../../../components/namespace/stack-namespace";
import { identity } from "../../support/fixtures";
import { matchesGolden } from "../../support/golden";
import { record, settled, valueOf } from "../../support/mocks";

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

  it("asks for the load balancer's readiness gate with the preset for EKS only", async () => {
    const labelsOf = async (args: Partial<StackNamespaceArgs>) => {
      const recorder = await record();
      new StackNamespace("namespace", { identity, namespace: "ns", ...args });
      await settled();
      return recorder.one(type).inputs.metadata.labels as Record<string, string>;
    };
    const gate = { "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled" };
    const plain = await labelsOf({});
    assert.deepEqual(await labelsOf({ ingressPreset: "eks-alb" }), { ...plain, ...gate });
    assert.ok(!Object.keys(gate).some((label) => label in plain));
  });

  it("is protected when told, and as its caller's options say when not", async () => {
    const isProtected = async (args: Partial<StackNamespaceArgs>, protect: boolean) => {
      const recorder = await record();
      new StackNamespace("namespace", { identity, namespace: "ns", ...args }, { protect });
      await settled();
      return recorder.one(type).protect;
    };
    assert.equal(await isProtected({ protect: true }, false), true);
    assert.equal(await isProtected({}, false), false);
    assert.equal(await isProtected({}, true), true);
    assert.equal(await isProtected({ protect: false }, true), false);
  });

  it("stays in the cluster when its stack is deleted, if the arg says so", async () => {
    const retained = async (args: Partial<StackNamespaceArgs>) => {
      const recorder = await record();
      new StackNamespace("namespace", { identity, namespace: "ns", ...args });
      await settled();
      return recorder.one(type).retainOnDelete;
    };
    assert.equal(await retained({ retain: true }), true);
    assert.equal(await retained({}), false);
  });

  it("refuses a name that is not a DNS label", async () => {
    await record();
    const make = () => new StackNamespace("namespace", { identity, namespace: "a_b" });
    assert.throws(make, {
      message:
        'StackNamespace "namespace": namespace must be a DNS label of at most 63 characters, got "a_b"; use lower case letters, digits and hyphens, start with a letter, and do not end with a hyphen',
    });
    await settled();
  });
});
