import assert from "node:assert/strict";
import { type NewPods, Obstacles } from "../../../../components/conventions/rollout/obstacles";
import type {
  ContainerStatus,
  PodFacts,
} from "../../../../components/conventions/rollout/pod-status";

const container = (more: Partial<ContainerStatus>): ContainerStatus => ({
  name: "orders",
  ready: false,
  restartCount: 0,
  ...more,
});
const pod = (name: string, ...containerStatuses: ContainerStatus[]): PodFacts => ({
  metadata: { name },
  status: { containerStatuses, phase: "Pending" },
});
/** Returns the same pod with an earlier creation time, like a pod of an earlier update. */
const older = (it: PodFacts): PodFacts => ({
  ...it,
  metadata: { ...it.metadata, creationTimestamp: new Date(-60_000).toISOString() },
});
const waiting = (reason: string, message?: string) => ({
  waiting: { reason, ...(message && { message }) },
});
const crashed = (restartCount: number) =>
  container({
    lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    restartCount,
    state: waiting("CrashLoopBackOff", "back-off 10s restarting failed container=orders"),
  });
const creating = container({ state: waiting("ContainerCreating") });
const running = container({ state: { running: {} } });

/**
 * Reads the pods several times, and returns the obstacle that the last reading finds. Fails if an
 * earlier reading finds an obstacle. `looks` contains the time of each reading, in seconds since
 * the start, and the pods at this time.
 */
function after(...looks: readonly (readonly [number, Partial<NewPods>])[]): string | undefined {
  const obstacles = new Obstacles(0);
  const none: NewPods = { failedMounts: [], pods: [], refused: undefined };
  const said = looks.map(([second, seen]) => obstacles.at(second * 1000, { ...none, ...seen }));
  for (const early of said.slice(0, -1)) assert.equal(early, undefined);
  return said.at(-1);
}

const seen = (...pods: PodFacts[]): Partial<NewPods> => ({ pods });

describe("the obstacles to a new release", () => {
  it("are that its only pod has ended twice, and how", () => {
    assert.equal(
      after([0, seen()], [5, seen(pod("a", crashed(1)))]),
      "Pod a, orders: ended with exit code 137 (OOMKilled): it used more memory than its limit; CrashLoopBackOff",
    );
  });

  it("do not exist while a pod can still become ready", () => {
    assert.equal(after([0, seen()], [9, seen(pod("a", crashed(1)), pod("b", running))]), undefined);
    assert.equal(after([0, seen()], [9, seen(pod("a", crashed(0)))]), undefined, "ended once");
    const slow = seen(pod("a", running));
    assert.equal(after([0, slow], [600, slow]), undefined, "slow, but healthy");
    const again = container({ ...crashed(2), state: { running: {} } });
    assert.equal(after([0, seen()], [9, seen(pod("a", again))]), undefined, "runs again");
  });

  it("are not the crashes of an earlier update's pod, but the next one is", () => {
    const before = seen(older(pod("a", crashed(6))));
    assert.equal(after([0, before], [200, before]), undefined);
    assert.match(after([0, before], [200, seen(older(pod("a", crashed(7))))]) ?? "", /OOMKilled/);
  });

  it("are those of this update's pod at the first look, too", () => {
    assert.match(after([0, seen(pod("a", crashed(1)))]) ?? "", /OOMKilled/);
  });

  it("are that the container ends without an error, again and again", () => {
    const ended = container({
      lastState: { terminated: { exitCode: 0, reason: "Completed" } },
      restartCount: 1,
      state: waiting("CrashLoopBackOff"),
    });
    assert.equal(
      after([0, seen()], [9, seen(pod("a", ended))]),
      "Pod a, orders: ended with exit code 0 (Completed); CrashLoopBackOff",
    );
  });

  for (const reason of [
    "ImagePullBackOff",
    "InvalidImageName",
    "CreateContainerConfigError",
    "RunContainerError",
  ]) {
    it(`are ${reason}, if it lasts`, () => {
      const stuck = seen(pod("a", container({ state: waiting(reason, "why") })));
      assert.equal(after([0, seen()], [1, stuck], [15, stuck]), undefined);
      assert.equal(after([0, seen()], [1, stuck], [16, stuck]), `Pod a, orders: ${reason}: why`);
      assert.ok(after([0, stuck], [15, stuck]) !== undefined, "there at the first look");
      const before = seen(...(stuck.pods ?? []).map(older));
      assert.equal(after([0, before], [300, before]), undefined, "of an earlier update");
      assert.ok(after([0, before], [315, before]) !== undefined);
    });
  }

  it("begin again when the container has run in between", () => {
    const stuck = seen(pod("a", container({ state: waiting("ErrImagePull") })));
    const looks = [0, 1, 14].map((second) => [second, second === 0 ? seen() : stuck] as const);
    assert.equal(
      after(...looks, [15, seen(pod("a", creating))], [16, stuck], [30, stuck]),
      undefined,
    );
  });

  it("are a Secret that the pod cannot mount", () => {
    const message = 'MountVolume.SetUp failed for volume "database" : secret "db" not found';
    const stuck = { failedMounts: [{ message, pod: "a" }], pods: [pod("a", creating)] };
    assert.equal(after([0, seen()], [1, stuck], [17, stuck]), `Pod a: ${message}`);
    const other = { ...stuck, pods: [pod("b", creating)] };
    assert.equal(after([0, seen()], [1, other], [17, other]), undefined, "of another pod");
  });

  it("are that Kubernetes creates no pod", () => {
    const refused = 'pods "a" is forbidden: exceeded quota';
    assert.equal(
      after([0, seen()], [1, { refused }], [17, { refused }]),
      `it gets no pod: ${refused}`,
    );
    const some = { pods: [pod("a", running)], refused };
    assert.equal(after([0, seen()], [1, some], [17, some]), undefined, "one pod has room");
  });

  it("do not count pods that are deleted or were evicted", () => {
    const evicted: PodFacts = { metadata: { name: "a" }, status: { phase: "Failed" } };
    const { status } = pod("b", crashed(1));
    const deleted: PodFacts = { metadata: { deletionTimestamp: "now", name: "b" }, status };
    assert.equal(after([0, seen()], [9, seen(evicted, deleted)]), undefined);
    assert.match(after([0, seen()], [9, seen(evicted, pod("c", crashed(1)))]) ?? "", /^Pod c/);
  });
});
