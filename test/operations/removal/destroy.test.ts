import assert from "node:assert/strict";
import { mock } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { reports } from "../../../lib/reports";
import type { LiveObject } from "../../../operations/pulumi/live-objects";
import type { StateResource } from "../../../operations/pulumi/stacks";
import { held, sayingWhatHolds } from "../../../operations/removal/destroy";

const ingress = (metadata: Partial<LiveObject["metadata"]>): LiveObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "orders", namespace: "shop", ...metadata },
});
const since = { deletionTimestamp: "2026-11-24T10:00:00Z" };
const now = new Date("2026-11-24T10:03:00Z");

describe("a removal", () => {
  it("names what a finalizer holds, since when, and how to look at it", () => {
    const objects = [ingress({ ...since, finalizers: ["ingress.k8s.aws/resources"] })];
    assert.deepEqual(held(objects, now), [
      "  Ingress orders waits for ingress.k8s.aws/resources since 2026-11-24 10:00 UTC (3m 0s): " +
        "the controller that added this finalizer has not removed it. " +
        "Look: kubectl -n shop describe ingress orders",
    ]);
  });

  it("is silent about objects that stay, and those that Kubernetes itself removes", () => {
    const silent = [
      ingress({ finalizers: ["ingress.k8s.aws/resources"] }),
      ingress({ ...since }),
      ingress({ ...since, finalizers: ["foregroundDeletion"] }),
    ];
    assert.deepEqual(held(silent, now), []);
  });

  describe("that takes long", () => {
    const resources: readonly StateResource[] = [
      { outputs: { clusterUid: "u" }, type: "pulumi:pulumi:Stack", urn: "stack" },
      {
        id: "shop/orders",
        inputs: { ...ingress({}) },
        type: "kubernetes:networking.k8s.io/v1:Ingress",
        urn: "ingress",
      },
    ];
    const waiting = ingress({ ...since, finalizers: ["a/b"] });
    async function said(kubectl: () => Promise<string>): Promise<readonly unknown[]> {
      const log = mock.method(console, "log", () => undefined);
      try {
        await sayingWhatHolds(resources, { kubectl }, async () => sleep(60), 20);
        return log.mock.calls.map(({ arguments: [line] }) => line as unknown);
      } finally {
        log.mock.restore();
      }
    }

    it("says so again and again while it works", async () => {
      const lines = await said(async () => Promise.resolve(JSON.stringify({ items: [waiting] })));
      assert.ok(lines.length >= 1);
      assert.match(String(lines[0]), /Ingress orders waits for a\/b/);
    });

    it("ends as the work ends, also when the cluster does not answer", async () => {
      assert.deepEqual(await said(async () => Promise.reject(new Error("no answer"))), []);
    });

    it("fails as the work fails, and leaves in the report what a finalizer holds", async () => {
      const added = mock.method(reports, "addCause", () => undefined);
      let looked: () => void;
      const seen = new Promise<void>((resolve) => (looked = resolve));
      const log = mock.method(console, "log", () => {
        looked();
      });
      const work = async (): Promise<void> =>
        seen.then(() => Promise.reject(new Error("destroy failed")));
      const kubectl = async (): Promise<string> =>
        Promise.resolve(JSON.stringify({ items: [waiting] }));
      try {
        await assert.rejects(sayingWhatHolds(resources, { kubectl }, work, 20), /destroy failed/);
        const [cause] = added.mock.calls.map(({ arguments: [text] }) => text as unknown);
        assert.match(String(cause), /^Ingress orders waits for a\/b/);
      } finally {
        log.mock.restore();
        added.mock.restore();
      }
    });
  });
});
