import assert from "node:assert/strict";
import type { Pod } from "../../../operations/clients/kubectl";
import { FirstContainer } from "../../../operations/jobs/first-container";

describe("the first container of a Job", () => {
  const began = Date.parse("2026-01-31T03:30:00Z");
  const pod = (state: object): Pod => ({
    metadata: { creationTimestamp: "2026-01-31T03:30:01Z", name: "export-1-abc" },
    spec: { containers: [{ image: "orders" }] },
    status: {
      containerStatuses: [{ name: "export", ready: false, restartCount: 0, state }] as NonNullable<
        Pod["status"]["containerStatuses"]
      >,
      phase: "Pending",
    },
  });

  it("cannot start if Kubernetes creates no pod within 20 seconds", () => {
    const first = new FirstContainer("export-1", "orders", began);
    assert.equal(first.issue([], began + 20_000), undefined);
    assert.equal(
      first.issue([], began + 20_001),
      "Kubernetes creates no pod. To see why: kubectl -n orders describe job export-1",
    );
    const creating = pod({ waiting: { reason: "ContainerCreating" } });
    assert.equal(first.issue([creating], began + 60_000), undefined);
  });

  it("cannot start within 30 seconds if its image cannot be pulled", () => {
    const first = new FirstContainer("export-1", "orders", began);
    const waiting = { message: "not found", reason: "ImagePullBackOff" };
    const seen = [2, 10, 18, 26].map((second) =>
      first.issue([pod({ waiting })], began + second * 1_000),
    );
    assert.equal(seen[0], undefined);
    assert.match(seen[3] ?? "", /ImagePullBackOff/);
  });
});
