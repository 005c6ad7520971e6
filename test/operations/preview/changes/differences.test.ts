import assert from "node:assert/strict";
import { differences, readable, valueAt } from "../../../../operations/preview/changes/differences";
import { covers, short } from "../../../../operations/preview/changes/paths";

const signature = "4dabf18193072939515e22adb298388d";
const hidden = { [signature]: "1b47061264138c4ac30d75fd1eb44270", ciphertext: "[secret]" };
const env = (...names: string[]) => ({ env: names.map((name) => ({ name, value: `is ${name}` })) });

describe("the differences of two objects", () => {
  it("name each field once, by its path", () => {
    assert.deepEqual(differences({ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }), [
      { after: 3, before: 2, path: "a.c" },
    ]);
  });

  it("are one when an element is inserted into a list", () => {
    assert.deepEqual(differences(env("A", "C"), env("A", "B", "C")), [
      { after: { name: "B", value: "is B" }, path: "env[name=B]" },
    ]);
  });

  it("are empty when named elements only have another order", () => {
    assert.deepEqual(differences(env("A", "B"), env("B", "A")), []);
  });

  it("use the index when elements have no name, or share one", () => {
    const list = (...values: number[]) => ({ list: values.map((n) => ({ name: "same", n })) });
    assert.deepEqual(differences(list(1, 2), list(1, 3)), [
      { after: 3, before: 2, path: "list[1].n" },
    ]);
  });

  it("are one when the only element has another address, and two when it has another name", () => {
    const rules = (host: string) => ({ rules: [{ host, http: 1 }] });
    assert.deepEqual(differences(rules("a"), rules("b")), [
      { after: "b", before: "a", path: "rules[host=a].host" },
    ]);
    assert.equal(differences(env("A"), env("B")).length, 2);
  });

  it("take a list of plain values as one value", () => {
    assert.deepEqual(differences({ args: ["a"] }, { args: ["a", "b"] }), [
      { after: ["a", "b"], before: ["a"], path: "args" },
    ]);
  });

  it("quote keys that are not plain words", () => {
    assert.deepEqual(differences({ labels: {} }, { labels: { "a.b/c": "d" } }), [
      { after: "d", path: 'labels["a.b/c"]' },
    ]);
  });

  it("show neither secrets nor the engine's marks", () => {
    assert.equal(readable(hidden), "[secret]");
    assert.equal(readable("04da6b54-80e4-46f7-96ec-b56ff0331ba9"), "known after the update");
  });
});

describe("a path", () => {
  it("finds the value that it names", () => {
    const object = { a: { "b.c/d": [{ e: 1 }] } };
    assert.equal(valueAt(object, 'a["b.c/d"][0].e'), 1);
    assert.equal(valueAt(object, "a.none[0].e"), undefined);
  });

  it("is covered by one above it, by any element, and by the object itself", () => {
    const path = "spec.template.spec.containers[name=web].env[name=A].value";
    for (const pattern of ["", "spec", "spec.template", "spec.template.spec.containers[*].env"]) {
      assert.ok(covers(pattern, path), pattern);
    }
    for (const pattern of ["metadata", "spec.temp", "spec.template.spec.containers[*].image"]) {
      assert.ok(!covers(pattern, path), pattern);
    }
  });

  it("is short without what every reader knows", () => {
    assert.equal(short("spec.template.spec.containers[name=web].env[name=A].value"), "env[A]");
    assert.equal(short("spec.rules[host=a.b].host"), "rules[a.b].host");
    assert.equal(
      short("spec.jobTemplate.spec.template.spec.initContainers[name=migrate].image"),
      "initContainers[migrate].image",
    );
  });
});
