import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { evicted, podsOf, servingPods, until } from "./cluster";
import { apply, kubectl } from "./commands";
import { nothingWasLost } from "./load";
import { OwnStack } from "./own-stack";

const REPLICAS = 2;

describe("services-orders with 2 replicas", function () {
  let stack: OwnStack;
  before(async () => {
    stack = await OwnStack.deployed("updates");
  });
  after(async () => {
    await stack.removed();
  });

  const allServe = async (): Promise<void> =>
    until("all pods", async () => (await servingPods(stack.namespace)).length === REPLICAS);

  /** Deploys a release. Gives how many of the pods are still those of before. */
  async function released(branch: string): Promise<void> {
    const before = await servingPods(stack.namespace);
    await stack.release(branch);
    const after = await servingPods(stack.namespace);
    assert.equal(after.length, REPLICAS);
    assert.deepEqual(
      after.filter((pod) => before.includes(pod)),
      [],
      "pods that were not replaced",
    );
  }

  /** Evicts one pod after the other, as draining their nodes would. */
  async function evictEach(): Promise<void> {
    await allServe();
    const [first = "", second = ""] = await servingPods(stack.namespace);
    assert.equal(await evicted(stack.namespace, first), true, "the first eviction was refused");
    let refused = 0;
    await until("the second eviction", async () => {
      if (await evicted(stack.namespace, second)) return true;
      refused += 1;
      return false;
    });
    const replacement = (await podsOf(stack.namespace)).filter(({ ready }) => ready);
    console.log(`      the second eviction was refused ${String(refused)} times, then it passed`);
    assert.equal(replacement.length, 1, "it passed before the replacement was Ready");
    assert.ok(refused > 0, "it was never refused");
    await allServe();
    // What the ingress controller learns late would show now.
    await sleep(3_000);
  }

  it("loses no request in three rolling updates in a row, each of which replaces every pod", async () => {
    const results = await stack.underLoad(async () => {
      for (const branch of ["first", "second", "third"]) await released(branch);
    });
    await nothingWasLost(stack.namespace, results);
  });

  it("loses no request while pods are evicted: the second is refused until the first one's replacement is Ready", async () => {
    await nothingWasLost(stack.namespace, await stack.underLoad(evictEach));
  });

  it("does the same beside a crash-looping pod of another track, for which no update waits", async () => {
    await crashingCanary();
    const results = await stack.underLoad(async () => {
      await evictEach();
      await released("fourth");
    });
    await nothingWasLost(stack.namespace, results);
    const [canary] = await podsOf(stack.namespace, "canary");
    assert.equal(canary?.ready, false);
  });

  /** A canary as the components make one: the same pod but for its track, and a command that fails. */
  async function crashingCanary(): Promise<void> {
    interface Deployment {
      metadata: { labels: Record<string, string>; name: string };
      spec: {
        replicas: number;
        selector: { matchLabels: Record<string, string> };
        template: {
          metadata: { labels: Record<string, string> };
          spec: { containers: { args: string[] }[] };
        };
      };
    }
    const live = await kubectl([
      ...["-n", stack.namespace, "get", "deployment", "services-orders", "-o", "json"],
    ]);
    const { metadata, spec } = JSON.parse(live) as Deployment;
    const track = { track: "canary" };
    spec.replicas = 1;
    spec.selector.matchLabels = { ...spec.selector.matchLabels, ...track };
    spec.template.metadata.labels = { ...spec.template.metadata.labels, ...track };
    for (const container of spec.template.spec.containers) container.args = ["no-such-command"];
    await apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: {
        labels: { ...metadata.labels, ...track },
        name: "services-orders-canary",
        namespace: stack.namespace,
      },
      spec,
    });
    await until("the canary's crash", async () =>
      (await podsOf(stack.namespace, "canary")).some(({ restarts }) => restarts > 0),
    );
  }
});
