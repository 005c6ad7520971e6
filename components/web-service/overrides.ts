import type * as k8s from "@pulumi/kubernetes";
import type { Override } from "../conventions/override";

/** One pure function per spec of a {@link WebService}, applied last: `(defaults) => spec`. */
export interface WebServiceOverrides {
  /**
   * The HorizontalPodAutoscaler; only made with `autoscaling`.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, behavior: { scaleDown: { stabilizationWindowSeconds: 600 } } })
   */
  readonly autoscalerSpec?: Override<k8s.types.input.autoscaling.v2.HorizontalPodAutoscalerSpec>;

  /**
   * The container that serves requests. Runs before `podSpec`.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, readinessProbe: { ...spec.readinessProbe, successThreshold: 2 } })
   */
  readonly container?: Override<k8s.types.input.core.v1.Container>;

  /**
   * The whole Deployment. A changed selector replaces it, which is downtime. Runs last.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, paused: true })
   */
  readonly deploymentSpec?: Override<k8s.types.input.apps.v1.DeploymentSpec>;

  /**
   * The Ingress; only made with `host` or `hosts`.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, defaultBackend: { service: { name: "sorry", port: { name: "http" } } } })
   */
  readonly ingressSpec?: Override<k8s.types.input.networking.v1.IngressSpec>;

  /**
   * The PodDisruptionBudget; only made where there is always more than one pod.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, maxUnavailable: "10%" })
   */
  readonly podDisruptionBudgetSpec?: Override<k8s.types.input.policy.v1.PodDisruptionBudgetSpec>;

  /**
   * The pods. Runs before `deploymentSpec`.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, priorityClassName: "orders-first" })
   */
  readonly podSpec?: Override<k8s.types.input.core.v1.PodSpec>;

  /**
   * The Service. A changed selector takes every request away from the pods.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, ports: (spec.ports ?? []).map((port) => ({ ...port, appProtocol: "http" })) })
   */
  readonly serviceSpec?: Override<k8s.types.input.core.v1.ServiceSpec>;
}
