import assert from "node:assert/strict";
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type DeploymentFacts, rolledOut } from "../../program/rollout";
import { record } from "../support/mocks";

type Status = NonNullable<DeploymentFacts["status"]>;

describe("rolledOut", () => {
  beforeEach(async () => {
    await record();
  });

  const progressing = (reason: string, message = ""): Status => ({
    conditions: [{ message, reason, type: "Progressing" }],
  });
  const whole: Status = {
    ...progressing("NewReplicaSetAvailable"),
    ...{ availableReplicas: 2, observedGeneration: 3, replicas: 2, updatedReplicas: 2 },
  };
  const facts = (status: Status, progressDeadlineSeconds = 300): DeploymentFacts => ({
    metadata: { generation: 3 },
    spec: { progressDeadlineSeconds, replicas: 2 },
    status,
  });

  /** Waits for a Deployment that the provider called complete in a state, and then changes. */
  async function waited(first: DeploymentFacts, ...later: DeploymentFacts[]): Promise<number> {
    const { metadata, ...rest } = first;
    const deployment = {
      metadata: pulumi.output({ ...metadata, name: "orders" }),
      spec: pulumi.output(rest.spec),
      status: pulumi.output(rest.status),
      urn: pulumi.output("urn"),
    } as unknown as k8s.apps.v1.Deployment;
    let reads = 0;
    const read = (name: string): Promise<DeploymentFacts> => {
      assert.equal(name, "orders");
      const answer = later[reads];
      reads += 1;
      return answer === undefined ? Promise.reject(new Error("refused")) : Promise.resolve(answer);
    };
    // Part of the SDK's own interface between packages: only this promise tells of an error.
    const output = rolledOut(deployment, read) as unknown as { promise(): Promise<unknown> };
    await output.promise();
    return reads;
  }

  it("asks nothing about a Deployment whose pods are all new", async () => {
    assert.equal(await waited(facts(whole)), 0);
  });

  it("asks nothing if one of the new pods has failed since", async () => {
    assert.equal(await waited(facts({ ...whole, availableReplicas: 1 })), 0);
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
      assert.equal(await waited(facts(status), facts(status), facts(whole)), 2);
    });
  }

  it("continues when the API server does not answer for a moment, and gives up after five times", async () => {
    const { "one old pod is left": status } = unfinished;
    await assert.rejects(waited(facts(status)), /refused/);
  });

  it("fails with Kubernetes' own reason", async () => {
    const message = 'ReplicaSet "orders-1" has timed out progressing.';
    const failed = { ...whole, ...progressing("ProgressDeadlineExceeded", message), replicas: 3 };
    await assert.rejects(
      waited(facts(failed), facts(failed)),
      /^Error: The rollout of Deployment "orders" failed: ReplicaSet "orders-1" has timed out progressing\.$/,
    );
  });

  it("fails without progress, even if Kubernetes does not notice", async () => {
    const { "one old pod is left": status } = unfinished;
    // The margin is 30 s.
    const stuck = facts(status, -29);
    await assert.rejects(
      waited(stuck, stuck, stuck, stuck, stuck),
      /failed: no progress while 2 of 2 new pods available, 1 old pods end\.$/,
    );
  });
});
