import assert from "node:assert/strict";
import { mock } from "node:test";
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { PodFacts } from "../../../components/conventions/rollout/pod-status";
import type { Pace } from "../../../program/rollout/patience";
import { type DeploymentFacts, type Rollouts, rolledOut } from "../../../program/rollout/rollout";
import { record } from "../../support/mocks";

type Status = NonNullable<DeploymentFacts["status"]>;

describe("rolledOut", () => {
  let now: number;
  beforeEach(async () => {
    await record();
    now = Date.now();
    mock.method(Date, "now", () => now);
  });
  afterEach(() => {
    mock.restoreAll();
  });

  const progressing = (reason: string, message = ""): Status => ({
    conditions: [{ message, reason, type: "Progressing" }],
  });
  const whole: Status = {
    ...progressing("NewReplicaSetAvailable"),
    ...{ availableReplicas: 2, observedGeneration: 3, replicas: 2, updatedReplicas: 2 },
  };
  const facts = (status: Status): DeploymentFacts => ({
    metadata: { generation: 3 },
    spec: { progressDeadlineSeconds: 300, replicas: 2, selector: { matchLabels: {} } },
    status,
  });

  const pod = (status: Partial<PodFacts["status"]>): PodFacts => ({
    metadata: { name: "orders-1-a" },
    status: { phase: "Pending", ...status },
  });

  interface Given {
    readonly pace?: Pace;
    /**
     * Each reading of the cluster's pods returns the next element. After the last element, every
     * reading returns this element again.
     */
    readonly pods?: readonly (readonly PodFacts[])[];
    /**
     * Seconds that each reading of the Deployment takes. The clock of the test does not move at any
     * other time, so a slow machine cannot change the result. 0 by default.
     */
    readonly readSeconds?: number;
    readonly status?: unknown;
  }

  /**
   * Waits for a rollout in which `later` are the Deployment's next states. Returns how often the
   * program read the Deployment.
   */
  async function waited(
    later: readonly (DeploymentFacts | undefined)[],
    given: Given = {},
  ): Promise<number> {
    const { pace = { pollMs: 1, quietMs: 0, sayMs: 60_000 }, pods = [], readSeconds = 0 } = given;
    const deployment = {
      metadata: pulumi.output({ name: "orders" }),
      status: pulumi.output("status" in given ? given.status : {}),
      urn: pulumi.output("urn"),
    } as unknown as k8s.apps.v1.Deployment;
    let reads = 0;
    let looks = 0;
    const rollouts: Rollouts = {
      deployment: (name) => {
        assert.equal(name, "orders");
        reads += 1;
        now += readSeconds * 1_000;
        return reads > later.length
          ? Promise.reject(new Error("refused"))
          : Promise.resolve(later[reads - 1]);
      },
      newPods: () => {
        looks += 1;
        return Promise.resolve({ failedMounts: [], pods: pods[looks - 1] ?? pods.at(-1) ?? [] });
      },
    };
    // `promise()` is an internal method of the SDK. With this method, the test gets the error of
    // the output.
    const output = rolledOut(rollouts, pace)(deployment) as unknown as {
      promise(): Promise<unknown>;
    };
    await output.promise();
    return reads;
  }

  it("looks once at a Deployment whose pods are all new", async () => {
    assert.equal(await waited([facts(whole)]), 1);
  });

  it("is complete, too, if one of the new pods has failed since", async () => {
    assert.equal(await waited([facts({ ...whole, availableReplicas: 1 })]), 1);
  });

  it("looks at no cluster for a Deployment of a test, which has no status", async () => {
    assert.equal(await waited([], { status: undefined }), 0);
  });

  it("fails when the Deployment is gone, and says what to do", async () => {
    await assert.rejects(
      waited([undefined]),
      /^Error: Deployment "orders" is in the state, but not in the cluster: .*pulumi refresh/,
    );
  });

  const unfinished = {
    "the old pods serve, and the conditions are those of the last release": {
      ...whole,
      updatedReplicas: 0,
    },
    "a pod more is wanted, and does not exist": {
      ...whole,
      ...{ availableReplicas: 1, replicas: 1, updatedReplicas: 1 },
    },
    "one old pod is left": { ...whole, replicas: 3 },
    "Kubernetes has not read the new release": { ...whole, observedGeneration: 2 },
    "a new pod is not available": {
      ...whole,
      ...progressing("ReplicaSetUpdated"),
      availableReplicas: 1,
    },
  };
  for (const [title, status] of Object.entries(unfinished)) {
    it(`waits while ${title}`, async () => {
      assert.equal(await waited([facts(status), facts(status), facts(whole)]), 3);
    });
  }

  it("continues when the API server does not answer for a moment, and gives up after five times", async () => {
    const { "one old pod is left": status } = unfinished;
    await assert.rejects(waited([facts(status)]), /refused/);
  });

  const { "a new pod is not available": starting } = unfinished;
  const overdue = (lastUpdateTime: string): DeploymentFacts => {
    const message = 'ReplicaSet "orders-1" has timed out progressing.';
    const condition = { lastUpdateTime, message, reason: "ProgressDeadlineExceeded" };
    return facts({ ...starting, conditions: [{ ...condition, type: "Progressing" }] });
  };
  const verdict =
    /^Error: The rollout of Deployment "orders" failed: ReplicaSet "orders-1" has timed out progressing\.$/;

  it("fails with Kubernetes' own verdict", async () => {
    await assert.rejects(waited([facts(starting), overdue("2026-01-01T12:05:00Z")]), verdict);
  });

  it("fails without a stack, which Pulumi would print slowly", async () => {
    const failure = await waited([undefined]).catch((error: unknown) => error as Error);
    assert.ok(failure instanceof Error);
    assert.equal(failure.stack, undefined);
  });

  it("waits again after an update that failed, until Kubernetes gives another verdict", async () => {
    const earlier = overdue("2026-01-01T12:05:00Z");
    assert.equal(await waited([earlier, earlier, facts(whole)]), 3);
    await assert.rejects(waited([earlier, earlier, overdue("2026-01-01T12:15:00Z")]), verdict);
  });

  // The deadline of these rollouts is 300 s. The program fails after 330 s without progress. The
  // program also fails if the whole rollout takes longer than 330 s for each pod.
  it("fails without progress, even if Kubernetes does not notice, and says what the pod does", async () => {
    const stuck = facts(unfinished["one old pod is left"]);
    const given = { readSeconds: 200 };
    await assert.rejects(
      waited([stuck, stuck, stuck], given),
      /failed: no progress: 2 of 2 new pods available, 1 old pod still there\.$/,
    );
    const running = { name: "orders", ready: false, restartCount: 0, state: { running: {} } };
    await assert.rejects(
      waited([stuck, stuck, stuck], { ...given, pods: [[pod({ containerStatuses: [running] })]] }),
      /failed: Pod orders-1-a, orders: runs, but is not ready\.$/,
    );
  });

  it("fails without progress, also when pods come and go", async () => {
    const all = 5;
    const one = { ...whole, availableReplicas: all, replicas: all + 1, updatedReplicas: all };
    const updated = progressing("ReplicaSetUpdated");
    const other = { ...one, ...updated, availableReplicas: all - 1, replicas: all };
    const flapping = [one, other, one, other, one].map((status) => {
      const { spec, ...rest } = facts(status);
      return { ...rest, spec: { ...spec, replicas: all } };
    });
    await assert.rejects(waited(flapping, { readSeconds: 120 }), /failed: no progress: /);
  });

  it("fails with progress, too, if all pods together take too long", async () => {
    const slow = Array.from({ length: 9 }, (_, n) => facts({ ...whole, replicas: 30 - n }));
    await assert.rejects(
      waited(slow, { readSeconds: 100 }),
      /failed: not complete after 660 s: 2 of 2 new pods available, 22 old pods still there\.$/,
    );
  });

  it("fails as soon as the only new pod has crashed twice", async () => {
    const migrate = (restartCount: number) =>
      pod({
        initContainerStatuses: [
          {
            lastState: { terminated: { exitCode: 1, reason: "Error" } },
            name: "migrate",
            ready: false,
            restartCount,
            state: { waiting: { reason: "CrashLoopBackOff" } },
          },
        ],
      });
    const looks = [[pod({})], [migrate(0)], [migrate(1)]];
    const many = Array.from({ length: 9 }, () => facts(starting));
    await assert.rejects(
      waited(many, { pods: looks }),
      /failed: Pod orders-1-a, migrate: ended with exit code 1 \(Error\); CrashLoopBackOff\.$/,
    );
  });

  it("does not look at the pods while there is progress", async () => {
    const broken = [[], [pod({ phase: "Pending" })]];
    const pace = { pollMs: 1, quietMs: 60_000, sayMs: 60_000 };
    assert.equal(await waited([facts(starting), facts(whole)], { pace, pods: broken }), 2);
  });
});
