import assert from "node:assert/strict";
import type { Change } from "../../../../operations/preview/changes/changes";
import { groupsOf } from "../../../../operations/preview/impact/rows";

/**
 * Returns the arg that explains the change to the field `path` in the web service's Deployment.
 * `changedArgs` are the names of the changed args of the web service.
 */
function argOf(path: string, ...changedArgs: readonly string[]): string | undefined {
  const change: Change = {
    createBeforeDelete: false,
    fields: [{ after: 2, before: 1, path, replaces: false }],
    inputs: {},
    kind: "Deployment",
    name: "services-orders",
    operation: "update",
    owner: { changedArgs, name: "services-orders", type: "services:k8s:WebService" },
    protect: false,
    urn: "urn:pulumi:staging::services-orders::kubernetes:apps/v1:Deployment::services-orders",
  };
  return groupsOf([change])[0]?.rows[0]?.arg;
}

describe("the arg that explains a changed field, if the map of args does not have every arg", () => {
  it("is the only changed arg that the map does not have", () => {
    assert.equal(argOf("spec.paused", "pausesRollouts"), "pausesRollouts");
    assert.equal(argOf("spec.minReadySeconds", "slowStart"), "slowStart");
  });

  it("is the one with the field's name, if several such args have changed", () => {
    assert.equal(argOf("spec.paused", "slowStart", "paused"), "paused");
  });

  it("is an arg of the map, if it has changed", () => {
    const changed = ["slowStart", "minReadySeconds"];
    assert.equal(argOf("spec.minReadySeconds", ...changed), "minReadySeconds");
  });

  it("is an arg of the map, if several args that the map does not have could explain it", () => {
    assert.equal(argOf("spec.minReadySeconds", "slowStart", "paused"), "minReadySeconds");
  });
});
