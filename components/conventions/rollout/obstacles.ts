import { type ContainerStatus, type PodFacts, containerIssue, containersOf } from "./pod-status";

/** Event that reports that the kubelet could not mount a volume of a pod. */
interface FailedMount {
  readonly message: string;
  readonly pod: string;
}

/** Facts about the pods of a Deployment's newest ReplicaSet. */
export interface NewPods {
  readonly failedMounts: readonly FailedMount[];
  readonly pods: readonly PodFacts[];
  /** The reason why Kubernetes creates no pod, for example a quota or a policy. */
  readonly refused: string | undefined;
}

/** A reason why a pod cannot become ready. */
interface Obstacle {
  /**
   * Identifies the obstacle. The obstacle lasts as long as each check finds an obstacle with the
   * same key.
   */
  readonly key: string;
  /** Whether the pod is older than this update: an earlier update has created the pod. */
  readonly older: boolean;
  /**
   * Whether the obstacle has already occurred twice. Otherwise, the obstacle stops the rollout only
   * after it has lasted for some seconds.
   */
  readonly repeated: boolean;
  readonly text: string;
}

/**
 * Seconds that an obstacle must last before it stops the rollout. Within this time, the kubelet
 * retries at least once: for example, the kubelet pulls an image again after 10 s
 * (https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff).
 */
const lastingSeconds = 15;
/**
 * Tolerance in seconds. A pod is older than the update only if its creation time is earlier than
 * the start of the wait minus this tolerance. The clocks of this machine and of the cluster may
 * differ. Also, the update's own pods may exist before the update begins to wait.
 */
const toleranceSeconds = 30;
/**
 * If an older pod had an obstacle at the first check, the obstacle must last for this number of
 * seconds before it stops the rollout. The value is the longest time until the kubelet retries,
 * plus a margin.
 */
const longestBackOffSeconds = 300 + lastingSeconds;

/**
 * Reasons that Kubernetes gives for a container that cannot start because of its image or its
 * configuration.
 */
const cannotStart =
  /^(?:CreateContainer(?:Config)?Error|ErrImage\w+|ImageInspectError|ImagePullBackOff|InvalidImageName|RunContainerError)$/;

/**
 * Watches the pods of a Deployment's newest ReplicaSet, and reports when no pod can become ready:
 * each pod has an obstacle that has occurred twice, or that lasts. A slow pod, or a pod that waits
 * for a node, has no obstacle.
 */
export class Obstacles {
  readonly #began: number;
  /** Keys of the obstacles of older pods at the first check. */
  #before: ReadonlySet<string> | undefined;
  /** Restarts of the containers of older pods at the first check. */
  #restarts: ReadonlyMap<string, number> | undefined;
  readonly #since = new Map<string, number>();

  /** @param began - time at which the update began to wait, in milliseconds. */
  constructor(began: number) {
    this.#began = began;
  }

  /**
   * Returns the reason why no new pod can become ready. Undefined if at least one pod can still
   * become ready.
   *
   * @param now - current time in milliseconds; tests pass their own value.
   */
  at(now: number, seen: NewPods): string | undefined {
    const pods = seen.pods.filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined && status.phase !== "Failed",
    );
    this.#restarts ??= new Map(pods.filter((pod) => this.#isOlder(pod)).flatMap(restartsOf));
    const found = pods.length === 0 ? [refusal(seen)] : pods.map((pod) => this.#of(pod, seen));
    const obstacles = found.filter((one) => one !== undefined);
    this.#before ??= new Set(obstacles.filter(({ older }) => older).map(({ key }) => key));
    const keys = obstacles.map(({ key }) => key);
    for (const key of this.#since.keys()) if (!keys.includes(key)) this.#since.delete(key);
    for (const key of keys) if (!this.#since.has(key)) this.#since.set(key, now);
    const doomed = obstacles.filter((one) => one.repeated || this.#lasts(one, now));
    return doomed.length === found.length ? doomed[0]?.text : undefined;
  }

  #isOlder({ metadata }: PodFacts): boolean {
    return Date.parse(metadata.creationTimestamp ?? "") < this.#began - toleranceSeconds * 1000;
  }

  #lasts({ key }: Obstacle, now: number): boolean {
    const seconds = this.#before?.has(key) === true ? longestBackOffSeconds : lastingSeconds;
    return now - (this.#since.get(key) ?? now) >= seconds * 1000;
  }

  #of(pod: PodFacts, { failedMounts }: NewPods): Obstacle | undefined {
    const { name } = pod.metadata;
    const older = this.#isOlder(pod);
    for (const container of containersOf(pod)) {
      const { state } = container;
      const text = `Pod ${name}, ${container.name}: ${containerIssue(container) ?? ""}`;
      const key = `${name}/${container.name}`;
      const before = this.#restarts?.get(key) ?? 0;
      // The obstacle has occurred twice if two conditions are true. First, the container has ended
      // with an error, or waits for its next restart. Second, the kubelet has restarted the
      // container at least once. For an older pod, only restarts after the first check count.
      const crashes = state?.waiting?.reason === "CrashLoopBackOff" || failed(container);
      if (crashes && container.restartCount > before) {
        return { key: `${key}/ends`, older, repeated: true, text };
      }
      if (cannotStart.test(state?.waiting?.reason ?? "")) {
        return { key: `${key}/start`, older, repeated: false, text };
      }
    }
    const mount = failedMounts.find((one) => one.pod === name);
    if (mount === undefined) return undefined;
    const text = `Pod ${name}: ${mount.message}`;
    return { key: `${name}/mount`, older, repeated: false, text };
  }
}

const failed = ({ ready, state }: ContainerStatus): boolean =>
  state?.terminated !== undefined && !ready && state.terminated.exitCode !== 0;

const restartsOf = (pod: PodFacts): readonly (readonly [string, number])[] =>
  containersOf(pod).map(({ name, restartCount }) => [`${pod.metadata.name}/${name}`, restartCount]);

function refusal({ refused }: NewPods): Obstacle | undefined {
  return refused === undefined
    ? undefined
    : { key: "refused", older: false, repeated: false, text: `it gets no pod: ${refused}` };
}
