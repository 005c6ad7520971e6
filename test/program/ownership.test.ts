import assert from "node:assert/strict";
import { RunError } from "@pulumi/pulumi";
import type { ClusterFacts } from "../../program/cluster";
import { labels } from "../../components/conventions/labels";
import { refuseForeign } from "../../program/ownership";
import { identity } from "../support/fixtures";

const clusterUid = "00000000-0000-0000-0000-000000000001";
const ours = labels(identity, "namespace");
const claim = { clusterUid: undefined, identity, namespace: "ns" };
const found = (own: Readonly<Record<string, string>>, terminating = false): ClusterFacts => ({
  clusterUid,
  namespace: { labels: own, terminating },
});

function refusal(facts: ClusterFacts, more: { clusterUid?: string } = {}): string {
  try {
    refuseForeign({ ...claim, ...more }, facts);
    return "";
  } catch (error) {
    assert.ok(RunError.isInstance(error), "Pulumi prints a RunError without a stack");
    return error.message;
  }
}

describe("ownership", () => {
  it("continues when there is no such namespace, or it is ours", () => {
    assert.equal(refusal({ clusterUid, namespace: undefined }), "");
    assert.equal(refusal(found({ ...ours, more: "labels" })), "");
  });

  it("refuses a namespace without our labels", () => {
    assert.equal(
      refusal(found({})),
      'Namespace "ns" exists and does not belong to this stack: its label app.kubernetes.io/managed-by is "", not "pulumi". Nothing was changed: choose another namespace with the setting "namespace", or delete the existing namespace.',
    );
  });

  it("refuses a namespace of another service, and of another instance", () => {
    assert.match(refusal(found({ ...ours, "app.kubernetes.io/part-of": "x" })), /part-of is "x"/);
    assert.match(refusal(found({ ...ours, "app.kubernetes.io/instance": "x" })), /instance is "x"/);
  });

  it("refuses our own namespace while it is being deleted", () => {
    assert.equal(
      refusal(found(ours, true)),
      'Namespace "ns" is being deleted: wait until it is gone, then run the command again.',
    );
  });

  it("refuses a cluster that is not the stack's cluster", () => {
    const other = "00000000-0000-0000-0000-000000000002";
    assert.match(refusal(found(ours), { clusterUid: other }), /^This stack belongs to the cluster/);
    assert.equal(refusal(found(ours), { clusterUid }), "");
  });
});
