import type * as k8s from "@pulumi/kubernetes";
import type { Override } from "../conventions/override";

/**
 * Scaling by load.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
 */
export interface Autoscaling {
  /**
   * Target average CPU utilization, as a percentage of the request.
   * Close to 100, scaling starts only after requests are already queueing.
   *
   * @default - 70 without `memoryUtilization`, otherwise CPU is ignored
   */
  readonly cpuUtilization?: number;
  /**
   * Maximum number of pods. Too low: a busy service stays slow.
   * Check it against the quota and the database's connections.
   * If more pods run when you turn autoscaling on, Kubernetes stops the rest immediately.
   */
  readonly maxReplicas: number;
  /**
   * Target average memory utilization, as a percentage of the request.
   * A JVM rarely returns memory, so that pods that were added mostly stay.
   *
   * @default - memory is ignored
   */
  readonly memoryUtilization?: number;
  /** Minimum and first number of pods. With 1 pod, draining a node causes downtime. */
  readonly minReplicas: number;
}

/** A path that leads to the service. */
export interface IngressPath {
  /** Path, starting with a slash. It is not removed: the service receives the full path. */
  readonly path: string;
  /**
   * How the path is matched. With `Exact`, requests below the path get 404.
   *
   * @default "Prefix"
   * @see https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types
   */
  readonly pathType?: "Exact" | "ImplementationSpecific" | "Prefix";
}

/** A host, and its paths that lead to the service. */
export interface IngressHost {
  /**
   * Host name in lower case, without scheme and port.
   * DNS must point it to the ingress controller, or requests get no answer.
   */
  readonly host: string;
  /**
   * Paths that lead to the service. Requests for other paths get 404.
   *
   * @default - all paths
   */
  readonly paths?: readonly IngressPath[];
}

/**
 * Changes of a probe's own settings.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/
 */
export interface ProbeSettings {
  /**
   * Failures in a row before the probe counts as failed. Too low: one slow answer is enough.
   *
   * @default - see the probe's arg
   */
  readonly failureThreshold?: number;

  /**
   * Path that answers 200 if the pod is healthy.
   * If it checks another system, such as the database, the pod also fails when that system fails.
   *
   * @default - see the probe's arg
   */
  readonly path?: string;

  /**
   * Seconds between two checks. Too long: a pod that hangs is noticed late.
   *
   * @default - see the probe's arg
   */
  readonly periodSeconds?: number;

  /**
   * Seconds to wait for an answer. Too short: a busy pod counts as failed.
   *
   * @default - see the probe's arg
   */
  readonly timeoutSeconds?: number;
}

/** A port in addition to the one that serves requests. */
export interface ExtraPort {
  /**
   * Name of at most 15 characters; probes and monitors use it. Each name may occur only once.
   */
  readonly name: string;
  /** Port that the container listens on. Must be above 1024: the container is not root. */
  readonly port: number;
  /**
   * Port of the Service that leads to it. Each port may occur only once; 80 is taken.
   *
   * @default - not a port of the Service
   */
  readonly servicePort?: number;
}

/** A number of pods, or a percentage of `replicas`. */
export type PodsOrPercent = number | `${number}%`;

/** One pure function `(defaults) => spec` for each spec of a {@link WebService}, applied last. */
export interface WebServiceOverrides {
  /**
   * Changes the HorizontalPodAutoscaler. It exists only with `autoscaling`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, behavior: { scaleDown: { stabilizationWindowSeconds: 600 } } })
   */
  readonly autoscalerSpec?: Override<k8s.types.input.autoscaling.v2.HorizontalPodAutoscalerSpec>;

  /**
   * Changes the container that serves requests. Runs before `podSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, readinessProbe: { ...spec.readinessProbe, successThreshold: 2 } })
   */
  readonly container?: Override<k8s.types.input.core.v1.Container>;

  /**
   * Changes the Deployment. Runs last. A changed selector replaces the Deployment, which causes
   * downtime.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, paused: true })
   */
  readonly deploymentSpec?: Override<k8s.types.input.apps.v1.DeploymentSpec>;

  /**
   * Changes the Ingress. It exists only with `host` or `hosts`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, defaultBackend: { service: { name: "sorry", port: { name: "http" } } } })
   */
  readonly ingressSpec?: Override<k8s.types.input.networking.v1.IngressSpec>;

  /**
   * Changes the PodDisruptionBudget. It exists only with more than one replica.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, maxUnavailable: "10%" })
   */
  readonly podDisruptionBudgetSpec?: Override<k8s.types.input.policy.v1.PodDisruptionBudgetSpec>;

  /**
   * Changes the pod template's spec. Runs before `deploymentSpec`.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, priorityClassName: "orders-first" })
   */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;

  /**
   * Changes the Service. With another selector, no request reaches the pods.
   *
   * @default - the component's own spec
   * @example (spec) => ({ ...spec, ports: (spec.ports ?? []).map((port) => ({ ...port, appProtocol:
   * "http" })) })
   */
  readonly serviceSpec?: Override<k8s.types.input.core.v1.ServiceSpec>;
}
