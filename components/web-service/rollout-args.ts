/** How a pod is asked for its health, where it differs from the component's own way. */
export interface ProbeSettings {
  /**
   * Failures in a row until the probe has failed. Too few, and one slow answer counts as the end of
   * a pod.
   *
   * @default - what the probe's arg says
   */
  readonly failureThreshold?: number;

  /**
   * Path that answers with 200 when all is well. One that asks others, as the database, takes their
   * failure for the pod's.
   *
   * @default - what the probe's arg says
   */
  readonly path?: string;

  /**
   * Seconds between two questions. Too long, and a pod that hangs is noticed late.
   *
   * @default - what the probe's arg says
   */
  readonly periodSeconds?: number;

  /**
   * Seconds until no answer is a failure. Shorter than a busy pod needs takes it for one that
   * hangs.
   *
   * @default - what the probe's arg says
   */
  readonly timeoutSeconds?: number;
}

/** A port beside the one that serves requests. */
export interface ExtraPort {
  /**
   * Name of at most 15 characters, by which probes and monitors address it. One that is there
   * already is refused.
   */
  readonly name: string;
  /** Port the container listens on; above 1024, because it is no root. */
  readonly port: number;
  /**
   * Port of the Service that leads to it. One that is taken, as 80, is refused.
   *
   * @default - the Service does not have it
   */
  readonly servicePort?: number;
}

/** A number of pods, or a share of them. */
export type PodsOrPercent = number | `${number}%`;

/** How the container of a web service listens, and how it is replaced. */
export interface RolloutArgs {
  /**
   * Port of the Java debugger (JDWP), on the pod's own loopback address: reach it by
   * `kubectl port-forward`. No Service has it. Who reaches it may run anything in the pod.
   *
   * @default - no debugger
   */
  readonly debugPort?: number | undefined;

  /**
   * When a pod is restarted. Too impatient, and a busy pod is killed because it is busy.
   *
   * @default - "/health/live" each 10 s, 6 failures, 3 s for an answer
   */
  readonly livenessProbe?: ProbeSettings | undefined;

  /**
   * Pods that a rollout may add for a while. They need room on the nodes and in the quota.
   *
   * @default "25%"
   */
  readonly maxSurge?: PodsOrPercent;

  /**
   * Pods that a rollout may take away before others are ready. Above 0 it costs capacity.
   *
   * @default 0
   */
  readonly maxUnavailable?: PodsOrPercent;

  /**
   * Seconds a new pod must stay ready until it counts. 0 lets a pod that dies at once go on a rollout.
   *
   * @default 10
   */
  readonly minReadySeconds?: number;

  /**
   * More ports of the container, and of the Service where they say so. On one that nothing listens
   * on, connections are refused, and no rollout fails for it.
   *
   * @default - none
   * @example
   * [{ name: "metrics", port: 9090 }]
   */
  readonly ports?: readonly ExtraPort[];

  /**
   * When a pod gets requests. Too patient, and requests go to a pod that cannot answer.
   *
   * @default - "/health/ready" each 5 s, 2 failures, 2 s for an answer
   */
  readonly readinessProbe?: ProbeSettings;

  /**
   * Earlier versions that Kubernetes keeps, for `kubectl rollout undo`. 0 leaves nothing to go back
   * to.
   *
   * @default 5
   */
  readonly revisionHistoryLimit?: number;

  /**
   * How long a pod may take to start: `failureThreshold` times `periodSeconds`. Too short, and a
   * slow start is restarted for ever.
   *
   * @default - "/health/live" each 2 s, 75 failures (150 s), 2 s for an answer
   */
  readonly startupProbe?: ProbeSettings;
}
