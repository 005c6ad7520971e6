import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { withCheapErrors } from "../../../components/conventions/expected-error";

describe("an error that leaves a program", () => {
  const thrown = async (error: unknown): Promise<Error> => {
    const program = withCheapErrors(async () => Promise.reject(error as Error));
    try {
      await program();
    } catch (caught) {
      assert.ok(caught instanceof Error);
      return caught;
    }
    assert.fail("the program must fail");
  };

  it("keeps its message and loses its stack when a person can fix it", async () => {
    const error = new pulumi.RunError("replicas must be a number");
    assert.equal(await thrown(error), error);
    assert.equal(error.message, "replicas must be a number");
    assert.equal(error.stack, undefined);
  });

  it("keeps its resource when a component refuses its args", async () => {
    const resource = { urn: "urn" } as unknown as pulumi.Resource;
    const error = new pulumi.ResourceError("host must be a name", resource, true);
    const caught = await thrown(error);
    assert.equal(caught, error);
    assert.equal(pulumi.ResourceError.isInstance(caught) && caught.resource, resource);
    assert.equal(caught.stack, undefined);
  });

  it("shows its stack as plain text when it was not expected", async () => {
    const caught = await thrown(new TypeError("x is not a function"));
    assert.ok(pulumi.RunError.isInstance(caught));
    assert.match(caught.message, /unexpected error:\nTypeError: x is not a function\n {4}at /);
    assert.equal(caught.stack, undefined);
  });

  it("is printed when it is not an Error", async () => {
    assert.match((await thrown("a text")).message, /unexpected error:\na text$/);
  });

  it("does not come from a program that succeeds", async () => {
    const program = withCheapErrors(async (n: number) => Promise.resolve(n + 1));
    assert.equal(await program(1), 2);
  });
});
