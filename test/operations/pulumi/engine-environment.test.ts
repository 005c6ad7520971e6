import assert from "node:assert/strict";
import {
  engineEnvironment,
  stackIn,
  updateEnvironment,
} from "../../../operations/pulumi/engine-environment";

describe("the environment variables of Pulumi", () => {
  const skip = (stack: string, given: Readonly<Record<string, string>> = {}): string | undefined =>
    ({ ...given, ...updateEnvironment(stack, given) })["PULUMI_SKIP_CHECKPOINTS"];

  it("make updates of stacks that own their data write the state only at the end", () => {
    assert.equal(skip("local"), "true");
    assert.equal(skip("review-a"), "true");
    assert.equal(skip("local", { PULUMI_SKIP_CHECKPOINTS: "false" }), "false");
  });

  it("make all other updates write the state at each step, also if the caller has set the variable", () => {
    for (const stack of ["staging", "prod", "prod-canary", "platform"]) {
      assert.equal(skip(stack), "false");
      assert.equal(skip(stack, { PULUMI_SKIP_CHECKPOINTS: "true" }), "false");
    }
  });

  it("compress the state of stacks that own their data", () => {
    const isCompressed = (stack: string | undefined, given = {}): boolean =>
      engineEnvironment(stack, given)["PULUMI_DIY_BACKEND_GZIP"] === "true";
    assert.ok(isCompressed("local"));
    assert.ok(isCompressed("review-a"));
    for (const stack of ["staging", "prod", "prod-canary", "platform", undefined]) {
      assert.ok(!isCompressed(stack), stack);
    }
    assert.ok(!isCompressed("local", { PULUMI_DIY_BACKEND_GZIP: "false" }));
  });

  it("raise the limits of the Kubernetes client, unless the caller has set them", () => {
    assert.equal(engineEnvironment("local", {})["PULUMI_K8S_CLIENT_QPS"], "200");
    const given = { PULUMI_K8S_CLIENT_QPS: "10" };
    assert.equal("PULUMI_K8S_CLIENT_QPS" in engineEnvironment("local", given), false);
  });
});

describe("the stack in the arguments of Pulumi", () => {
  it("is the value of --stack, or the name after init, rm or select", () => {
    assert.equal(stackIn(["up", "--stack", "prod", "--yes"]), "prod");
    assert.equal(stackIn(["stack", "tag", "set", "--stack", "local", "--", "a", "b"]), "local");
    assert.equal(stackIn(["stack", "init", "review-a", "--no-select"]), "review-a");
    assert.equal(stackIn(["stack", "rm", "review-a", "--yes"]), "review-a");
    assert.equal(stackIn(["stack", "select", "local", "--create"]), "local");
  });

  it("is undefined without a name", () => {
    assert.equal(stackIn(["stack", "ls", "--json"]), undefined);
    assert.equal(stackIn(["whoami"]), undefined);
  });
});
