import assert from "node:assert/strict";
import { mock } from "node:test";
import { reports } from "../../../lib/reports";
import { deleteNamespace } from "../../../operations/removal/namespace";

/**
 * Message that the namespace controller writes into a condition of a namespace that it cannot
 * delete yet (k8s.io/kubernetes 1.34, status_condition_utils.go).
 */
const remaining =
  "Some resources are remaining: ingresses.networking.k8s.io has 1 resource instances, pods. has 2 resource instances";
const conditions = [
  { message: "All resources successfully discovered", status: "False" },
  { message: remaining, status: "True" },
  {
    message:
      "Some content in the namespace has finalizers remaining: ingress.k8s.aws/resources in 1 resource instances",
    status: "True",
  },
];
const metadata = { creationTimestamp: "2026-01-01T00:00:00Z", name: "shop", uid: "1" };
const ingress = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    deletionTimestamp: "2026-01-01T10:00:00Z",
    finalizers: ["ingress.k8s.aws/resources"],
    name: "orders",
    namespace: "shop",
  },
};

describe("the deletion of a namespace", () => {
  let asked: string[];
  let said: string[];
  beforeEach(() => {
    asked = [];
    said = [];
    mock.method(console, "log", (line: string) => said.push(line));
  });
  afterEach(() => {
    mock.restoreAll();
  });

  /**
   * Deletes a namespace. Each call of `kubectl get namespace` returns the next element of `states`.
   * After the last element, each call returns this element again.
   */
  async function deleted(
    states: readonly (object | undefined)[],
    objects: () => Promise<string> = async () => Promise.resolve('{"items":[]}'),
    patienceMs = 60_000,
  ): Promise<void> {
    let read = 0;
    const kubectl = async (args: readonly string[]): Promise<string> => {
      asked.push(args.join(" "));
      if (args[0] === "delete") return "";
      if (args[1] !== "namespace") return objects();
      const state = states[Math.min(read, states.length - 1)];
      read += 1;
      return Promise.resolve(state === undefined ? "" : JSON.stringify(state));
    };
    await deleteNamespace("shop", { kubectl }, { patienceMs, pauseMs: 0, reportMs: 0 });
  }
  const there = { metadata };
  const stuck = { metadata, status: { conditions } };

  it("ends when the namespace is gone", async () => {
    await deleted([there, there, undefined]);
    assert.deepEqual(asked.slice(0, 2), [
      "get namespace shop --ignore-not-found --output json",
      "delete namespace shop --ignore-not-found --wait=false",
    ]);
    assert.equal(asked.length, 4);
  });

  it("ends when someone has created the namespace again", async () => {
    await deleted([there, { metadata: { ...metadata, uid: "2" } }]);
    assert.equal(asked.length, 3);
  });

  it("does nothing when there is no namespace", async () => {
    await deleted([undefined]);
    assert.deepEqual([asked.length, said], [1, []]);
  });

  it("names the objects that a finalizer holds", async () => {
    await deleted([there, stuck, undefined], async () =>
      Promise.resolve(JSON.stringify({ items: [ingress] })),
    );
    assert.ok(
      asked.includes("get ingresses.networking.k8s.io,pods --namespace shop --output json"),
    );
    assert.match(said[1] ?? "", /^ {2}Ingress orders waits for ingress\.k8s\.aws\/resources since/);
  });

  it("says what Kubernetes says when it may not read the objects any more", async () => {
    await deleted([there, stuck, undefined], async () => Promise.reject(new Error("(Forbidden)")));
    assert.deepEqual(
      said.slice(1),
      conditions.slice(1).map(({ message }) => `  ${message}`),
    );
  });

  it("gives up after a time, and says what holds the namespace, also in the report", async () => {
    const added = mock.method(reports, "addCause", () => undefined);
    await assert.rejects(
      deleted([there, stuck], undefined, 0),
      /Namespace "shop" still exists .*run the command again/,
    );
    assert.equal(said[1], `  ${remaining}`);
    assert.deepEqual(added.mock.calls[0]?.arguments, [remaining]);
    added.mock.restore();
  });
});
