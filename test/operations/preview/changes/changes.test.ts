import assert from "node:assert/strict";
import { changesOf } from "../../../../operations/preview/changes/changes";
import { object } from "../../support/steps";

const web = ["WebService", "services-orders"] as const;

describe("the changes of a preview", () => {
  it("say which field replaces the object, and not a field whose name only begins like it", () => {
    const before = { spec: { port: 1, ports: [{ name: "a", port: 1 }] } };
    const after = { spec: { port: 2, ports: [{ name: "a", port: 2 }] } };
    const fields = (...keys: string[]): object => {
      const step = object("replace", "example.com/v1:Odd", { after, before, in: web, keys });
      const [change] = changesOf({ steps: [step] });
      return Object.fromEntries(change?.fields.map((one) => [one.path, one.replaces]) ?? []);
    };
    const [port, ports] = ["spec.port", "spec.ports[name=a].port"];
    assert.deepEqual(fields("spec.port"), { [port]: true, [ports]: false });
    assert.deepEqual(fields("spec.ports[0].port"), { [port]: false, [ports]: true });
    assert.deepEqual(fields("spec"), { [port]: true, [ports]: true });
  });
});
