import type * as pulumi from "@pulumi/pulumi";

/** A path that leads to the service. */
export interface IngressPath {
  /** Path, starting with a slash. It is not cut off: the service must know it. */
  readonly path: string;
  /**
   * How the path is compared. `Exact` answers what is below the path with 404.
   *
   * @default "Prefix"
   */
  readonly pathType?: "Exact" | "ImplementationSpecific" | "Prefix";
}

/** A host, and the paths of it that lead to the service. */
export interface IngressHost {
  /**
   * Host name in lower case, without scheme and port. A name that DNS does not lead to the ingress
   * controller is not answered.
   */
  readonly host: string;
  /**
   * Paths that lead to the service. Requests for any other are answered with 404.
   *
   * @default - all of them
   */
  readonly paths?: readonly IngressPath[];
}

/** How a web service is reached from outside. */
export interface IngressArgs {
  /**
   * Seconds that the load balancer lets open requests to a pod finish, with `ingressPreset`.
   * Above `terminationGracePeriodSeconds` it sends to pods that are gone, so that is refused.
   *
   * @default 30
   */
  readonly deregistrationDelaySeconds?: number;

  /**
   * More hosts, or `host` itself with paths. The first of all is the one of the public URL. A host
   * that another Ingress has too may be answered by either.
   *
   * @default - none
   * @example
   * [{ host: "api.example.com", paths: [{ path: "/orders" }] }]
   */
  readonly hosts?: readonly IngressHost[];

  /**
   * Annotations of the Ingress, which have the last word over those of `ingressPreset`. A misspelt
   * one does nothing, and nobody says so.
   *
   * @default - none
   */
  readonly ingressAnnotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Ingresses that share one load balancer, with `ingressPreset`. All who may write an Ingress of
   * a group may add rules to its hosts: review stacks belong into a group of their own.
   *
   * @default - a load balancer of its own
   */
  readonly ingressGroupName?: string;

  /**
   * Annotations for a kind of ingress controller. `eks-alb`: AWS Load Balancer Controller that
   * sends to pods directly, asks for readiness itself, and ends with them. Label the namespace
   * with `elbv2.k8s.aws/pod-readiness-gate-inject=enabled`, or a rollout may go on too early.
   *
   * @default - none
   */
  readonly ingressPreset?: "eks-alb";

  /**
   * Who reaches the load balancer, with `ingressPreset`. A change makes another load balancer.
   *
   * @default "internal"
   */
  readonly ingressScheme?: "internal" | "internet-facing";

  /**
   * Secret with the certificate, with `tls`. Where it is missing, the controller shows a
   * certificate of its own, which browsers refuse.
   *
   * @default - the ingress controller finds a certificate by the host
   */
  readonly tlsSecretName?: pulumi.Input<string>;
}
