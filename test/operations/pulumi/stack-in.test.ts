import assert from "node:assert/strict";
import { stackIn } from "../../../operations/pulumi/stack-in";

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
