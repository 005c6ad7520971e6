import type * as k8s from "@pulumi/kubernetes";
import type { Override } from "../conventions/override";

/**
 * Settings of the HorizontalPodAutoscaler.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
 */
export interface Autoscaling {
  /**
   * Target average CPU utilization, as a percentage of the pods' CPU request. If the value is too
   * high, HTTP requests must wait before the autoscaler adds pods.
   *
   * @default - 70 without `memoryUtilization`, otherwise CPU is ignored
   */
  readonly cpuUtilization?: number;
  /**
   * Maximum number of pods. If the maximum is too low, the service is slow under high load. The
   * quota and the database's connection limit must allow this number. If more pods than this number
   * run when you turn autoscaling on, Kubernetes immediately stops the pods above the maximum.
   */
  readonly maxReplicas: number;
  /**
   * Target average memory utilization, as a percentage of the pods' memory request. A JVM rarely
   * returns memory to the system, so the autoscaler rarely removes the pods that it added.
   *
   * @default - memory is ignored
   */
  readonly memoryUtilization?: number;
  /**
   * Minimum number of pods, and the number that a new Deployment starts with. With only one pod, a
   * drain of the pod's node causes downtime.
   */
  readonly minReplicas: number;
}

/** A path. The Ingress sends requests for this path to the service. */
export interface IngressPath {
  /**
   * Path that starts with a slash. The Ingress does not remove this path from a request: the
   * service receives the full path.
   */
  readonly path: string;
  /**
   * How the Ingress compares `path` with the path of a request. With `Exact`, this entry does not
   * match requests for paths below `path`.
   *
   * @default "Prefix"
   * @see https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types
   */
  readonly pathType?: "Exact" | "ImplementationSpecific" | "Prefix";
}

/** A host name and its paths. The Ingress sends requests for these paths to the service. */
export interface IngressHost {
  /**
   * Host name in lower case, without scheme and port. DNS must resolve the name to the address of
   * the Ingress; otherwise, requests get no response.
   */
  readonly host: string;
  /**
   * The Ingress sends requests for these paths to the service. Requests for other paths get status
   * 404.
   *
   * @default - all paths
   */
  readonly paths?: readonly IngressPath[];
}

/**
 * Settings of one probe. Each setting replaces one default of the component.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/
 */
export interface ProbeSettings {
  /**
   * Number of consecutive checks that must fail before the probe fails. With the value 1, the probe
   * fails after one slow response.
   *
   * @default - see the probe's arg
   */
  readonly failureThreshold?: number;

  /**
   * Path that the kubelet requests. A healthy pod must answer with a status from 200 to 399. If
   * this path also checks another system, such as the database, the probe fails when that system
   * fails.
   *
   * @default - see the probe's arg
   */
  readonly path?: string;

  /**
   * Seconds between two checks. If this interval is too long, the kubelet detects too late that a
   * pod no longer answers.
   *
   * @default - see the probe's arg
   */
  readonly periodSeconds?: number;

  /**
   * Seconds to wait for a response. If this timeout is too short, the probe fails on busy pods.
   *
   * @default - see the probe's arg
   */
  readonly timeoutSeconds?: number;
}

/** A migration that may take longer than the deadline of a rollout. */
export interface LongMigration {
  /**
   * Seconds after which Kubernetes stops the Job and marks the Job as failed. This deadline
   * includes all retries of the Job. If the deadline is too short, Kubernetes stops the migration
   * before its end, and the next update starts the migration again.
   *
   * @default 14400
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
   */
  readonly activeDeadlineSeconds?: number;
  /**
   * UID of a Job of this `version` that is in the cluster, is not running and has not succeeded.
   * With this UID, the component replaces the Job. If you set the UID of a running Job, Pulumi
   * deletes this Job, and the migration starts again.
   *
   * @default - the component keeps the Job, if the Job exists
   */
  readonly retryOf?: string | undefined;
  /**
   * Version of the migration, such as `"12"`. The Job has the name `<name>-migrate-v<version>` and
   * runs `migrationArgs` with `--to <version>`. If the image does not contain a migration with this
   * version, the Job fails.
   */
  readonly version: string;
}

/** A port in addition to the port that serves requests. */
export interface ExtraPort {
  /**
   * Name of the port, at most 15 characters, for probes and monitoring. Each name may occur only
   * once.
   */
  readonly name: string;
  /** Port that the container listens on. Must be above 1024: the container does not run as root. */
  readonly port: number;
  /**
   * Port of the Service. The Service forwards connections from this port to `port`. Each Service
   * port may occur only once. The component already uses port 80.
   *
   * @default - the Service does not have this port
   */
  readonly servicePort?: number;
}

/** A number of pods, or a percentage of `replicas`. */
export type PodsOrPercent = number | `${number}%`;

/**
 * Pure functions `(defaults) => spec`, one for each spec of a {@link WebService}. These functions
 * run after the component has applied all args.
 */
export interface WebServiceOverrides {
  /**
   * Changes the spec of the HorizontalPodAutoscaler. The autoscaler exists only with `autoscaling`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, behavior: { scaleDown: { stabilizationWindowSeconds: 600 } } })
   */
  readonly autoscalerSpec?: Override<k8s.types.input.autoscaling.v2.HorizontalPodAutoscalerSpec>;

  /**
   * Changes the container that serves requests. This function runs before `podSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, readinessProbe: { ...spec.readinessProbe, successThreshold: 2 } })
   */
  readonly container?: Override<k8s.types.input.core.v1.Container>;

  /**
   * Changes the spec of the Deployment. This function runs last. If the function changes the
   * selector, Pulumi replaces the Deployment, which causes downtime.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, paused: true })
   */
  readonly deploymentSpec?: Override<k8s.types.input.apps.v1.DeploymentSpec>;

  /**
   * Changes the spec of the Ingress. The Ingress exists only with `host` or `hosts`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, defaultBackend: { service: { name: "sorry", port: { name: "http" } } } })
   */
  readonly ingressSpec?: Override<k8s.types.input.networking.v1.IngressSpec>;

  /**
   * Changes the spec of the Job of a long migration. The Job exists only with `longMigration`. The
   * function changes only a new Job, and not an existing Job.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, backoffLimit: 0 })
   */
  readonly migrationJobSpec?: Override<k8s.types.input.batch.v1.JobSpec>;

  /**
   * Changes the spec of the PodDisruptionBudget. The budget exists only with more than one replica.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, maxUnavailable: "10%" })
   */
  readonly podDisruptionBudgetSpec?: Override<k8s.types.input.policy.v1.PodDisruptionBudgetSpec>;

  /**
   * Changes the pod template's spec. This function runs before `deploymentSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, priorityClassName: "orders-first" })
   */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;

  /**
   * Changes the spec of the Service. If the selector does not match the labels of the pods, no
   * request reaches the pods.
   *
   * @default - the component's own spec
   * @example (spec) => ({ ...spec, ports: (spec.ports ?? []).map((port) => ({ ...port, appProtocol:
   * "http" })) })
   */
  readonly serviceSpec?: Override<k8s.types.input.core.v1.ServiceSpec>;
}
