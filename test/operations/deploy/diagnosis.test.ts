import assert from "node:assert/strict";
import type { Pod } from "../../../operations/clients/kubectl";
import { type Findings, diagnose } from "../../../operations/deploy/diagnosis";

const since = new Date("2026-01-01T12:00:00Z");
const after = "2026-01-01T12:01:00Z";
const nothing: Findings = { deployments: [], events: [], pods: [], replicaSets: [] };

const pod = (status: Partial<Pod["status"]>): Findings["pods"][number] => ({
  metadata: { name: "web-1" },
  status: { phase: "Pending", ...status },
});
const container = (more: object) => ({ name: "web", ready: false, restartCount: 0, ...more });
const warning = (reason: string, message: string, lastTimestamp = after, name = "web-1") => ({
  involvedObject: { kind: "Pod", name },
  lastTimestamp,
  message,
  reason,
  type: "Warning",
});

function refused(message: string): Findings {
  const conditions = [{ message, reason: "FailedCreate", status: "True", type: "ReplicaFailure" }];
  return { ...nothing, deployments: [{ metadata: { name: "web" }, status: { conditions } }] };
}

describe("the diagnosis of a failed deploy", () => {
  for (const message of [
    'pods "web-x" is forbidden: exceeded quota: review, requested: pods=1',
    'pods "web-x" is forbidden: violates PodSecurity "restricted:latest"',
  ]) {
    it(`says why no pod is made: ${message.slice(0, 50)}`, () => {
      const [first] = diagnose(refused(message), since).causes;
      assert.equal(first, `Deployment web gets no pod: ${message}`);
    });
  }

  it("says which node a pod misses", () => {
    const conditions = [{ message: "0/1 nodes", status: "False", type: "PodScheduled" }];
    const { causes } = diagnose({ ...nothing, pods: [pod({ conditions })] }, since);
    assert.deepEqual(causes, ["Pod web-1 finds no node: 0/1 nodes"]);
  });

  it("says why an image is not pulled, and asks for no log then", () => {
    const state = { waiting: { message: "Back-off pulling", reason: "ImagePullBackOff" } };
    const pods = [pod({ containerStatuses: [container({ state })] })];
    const { causes, suspects } = diagnose({ ...nothing, pods }, since);
    assert.deepEqual(causes, ["Pod web-1, web: ImagePullBackOff: Back-off pulling"]);
    assert.deepEqual(suspects, []);
  });

  it("says how a crashing container ended, and asks for its run before", () => {
    const crashed = container({
      lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
      restartCount: 3,
      state: { waiting: { reason: "CrashLoopBackOff" } },
    });
    const { causes, suspects } = diagnose(
      { ...nothing, pods: [pod({ containerStatuses: [crashed] })] },
      since,
    );
    assert.deepEqual(causes, [
      "Pod web-1, web: ended with exit code 137 (OOMKilled): it used more memory than its limit; CrashLoopBackOff",
    ]);
    assert.deepEqual(suspects, [{ container: "web", pod: "web-1", previous: true }]);
  });

  for (const [terminated, told] of [
    [
      { exitCode: 137, reason: "Error" },
      "ended with exit code 137 (Error): killed, for example because a liveness probe failed or the node had no memory left",
    ],
    [
      { exitCode: 128, message: 'exec: "no":\n  not found\n', reason: "StartError" },
      'ended with exit code 128 (StartError): exec: "no": not found',
    ],
  ] as const) {
    it(`says in words how a container ended: ${told.slice(0, 40)}`, () => {
      const pods = [pod({ containerStatuses: [container({ state: { terminated } })] })];
      assert.deepEqual(diagnose({ ...nothing, pods }, since).causes, [`Pod web-1, web: ${told}`]);
    });
  }

  it("says that a container runs and is not ready, and asks for its log", () => {
    const running = container({ state: { running: {} } });
    const pods = [pod({ containerStatuses: [running] })];
    const { causes, suspects } = diagnose({ ...nothing, pods }, since);
    assert.deepEqual(causes, ["Pod web-1, web: runs, but is not ready"]);
    assert.deepEqual(suspects, [{ container: "web", pod: "web-1", previous: false }]);
  });

  it("asks an init container that failed", () => {
    const failed = container({ name: "migrate", state: { terminated: { exitCode: 1 } } });
    const pods = [pod({ initContainerStatuses: [failed] })];
    const { causes, suspects } = diagnose({ ...nothing, pods }, since);
    assert.deepEqual(causes, ["Pod web-1, migrate: ended with exit code 1 (Error)"]);
    assert.deepEqual(suspects, [{ container: "migrate", pod: "web-1", previous: false }]);
  });

  it("has nothing to say of pods that are ready, done, starting or on their way out", () => {
    const pods = [
      pod({ containerStatuses: [container({ ready: true, state: { running: {} } })] }),
      pod({
        initContainerStatuses: [container({ ready: true, state: { terminated: { exitCode: 0 } } })],
      }),
      pod({
        containerStatuses: [container({ state: { waiting: { reason: "ContainerCreating" } } })],
      }),
      {
        metadata: { deletionTimestamp: after, name: "web-0" },
        status: pod({ containerStatuses: [container({ state: { running: {} } })] }).status,
      },
    ];
    assert.deepEqual(diagnose({ ...nothing, pods }, since), { causes: [], suspects: [] });
  });

  it("has nothing to say of a container that is ready again after a restart", () => {
    const restarted = container({
      lastState: { terminated: { exitCode: 1 } },
      ready: true,
      restartCount: 1,
      state: { running: {} },
    });
    const pods = [pod({ containerStatuses: [restarted] })];
    assert.deepEqual(diagnose({ ...nothing, pods }, since), { causes: [], suspects: [] });
  });

  it("has nothing to say of pods of an earlier release, and of earlier runs of jobs", () => {
    const failed = { containerStatuses: [container({ state: { terminated: { exitCode: 1 } } })] };
    const named = (name: string, labels: Record<string, string>, creationTimestamp: string) => ({
      metadata: { creationTimestamp, labels, name },
      status: pod(failed).status,
    });
    const replicaSet = (hash: string, revision: string) => ({
      metadata: {
        annotations: { "deployment.kubernetes.io/revision": revision },
        labels: { "pod-template-hash": hash },
        name: `web-${hash}`,
      },
    });
    const job = { "batch.kubernetes.io/job-name": "export-1" };
    const pods = [
      named("export-0", job, "2026-01-01T02:00:00Z"),
      named("web-old", { "pod-template-hash": "b" }, after),
      named("export-1", job, after),
      named("web-new", { "pod-template-hash": "a" }, "2026-01-01T12:02:00Z"),
      named("postgres-0", {}, "2026-01-01T01:00:00Z"),
    ];
    // The code must compare revisions as numbers, because revision 10 is newer than revision 9.
    const replicaSets = [replicaSet("b", "9"), replicaSet("a", "10")];
    const { suspects } = diagnose({ ...nothing, pods, replicaSets }, since);
    assert.deepEqual(
      suspects.map((one) => one.pod),
      ["web-new", "export-1", "postgres-0"],
    );
    const events = ["web-old", "web-b-1", "web-a-9", "export-1"].map((name) =>
      warning(`Unhealthy of ${name}`, "no", after, name),
    );
    const { causes } = diagnose({ ...nothing, events, pods, replicaSets }, since);
    assert.deepEqual(
      causes.filter((cause) => cause.includes("Unhealthy")).map((cause) => cause.split(":")[0]),
      ["Pod web-a-9", "Pod export-1"],
    );
    const unread = diagnose({ ...nothing, pods }, since).suspects;
    assert.deepEqual(
      unread.slice(0, 2).map((one) => one.pod),
      ["web-new", "web-old"],
    );
  });

  it("shows the newest warning of each kind since the deploy began, and no older one", () => {
    const events = [
      warning("Unhealthy", "first", "2026-01-01T12:02:00Z", "web-1"),
      warning("Unhealthy", "second", "2026-01-01T12:03:00Z", "web-2"),
      warning("BackOff", "old", "2026-01-01T11:00:00Z"),
      { ...warning("Pulled", "fine"), type: "Normal" },
    ];
    const { causes } = diagnose({ ...nothing, events }, since);
    assert.deepEqual(causes, ["Pod web-2: Unhealthy: second"]);
  });
});
