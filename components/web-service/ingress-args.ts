import type * as pulumi from "@pulumi/pulumi";
import type { IngressHost } from "./arg-types";

/** Args of a web service that determine how requests from outside the cluster reach the service. */
export interface IngressArgs {
  /**
   * Seconds that the load balancer waits for the open requests of a terminating pod. Needs
   * `ingressPreset`. A value above `terminationGracePeriodSeconds` is an error: Kubernetes would
   * stop the pod while the load balancer still waits for the pod's requests.
   *
   * @group Ingress
   * @default 30
   */
  readonly deregistrationDelaySeconds?: number;

  /**
   * Additional hosts, and hosts for which the service receives only requests for some paths. The
   * public URL contains `host`, or the host name of the first entry of `hosts` if `host` is not
   * set. If another Ingress has the same host, requests may reach the service of either Ingress.
   *
   * @group Ingress
   * @default - none
   * @example
   * [{ host: "api.example.com", paths: [{ path: "/orders" }] }]
   */
  readonly hosts?: readonly IngressHost[];

  /**
   * Annotations of the Ingress. These annotations override the annotations of `ingressPreset`. A
   * misspelled annotation has no effect and gives no error.
   *
   * @group Ingress
   * @default - none
   */
  readonly ingressAnnotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * IngressClass of the Ingress. If no controller handles the class, requests get no response, and
   * Pulumi waits for an address of the Ingress until the update times out.
   *
   * @group Ingress
   * @default - "alb" with `ingressPreset`, otherwise the cluster's default class
   * @see https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
   */
  readonly ingressClassName?: string | undefined;

  /**
   * Name of the group of Ingresses that share one load balancer. Needs `ingressPreset`. Anyone who
   * can create an Ingress in the group can add rules for all hosts of the group. So the Ingresses
   * of review stacks need a group that production's Ingress does not use.
   *
   * @group Ingress
   * @default - a separate load balancer
   */
  readonly ingressGroupName?: string;

  /**
   * Type of ingress controller. The component adds annotations for this controller to the Ingress.
   * `eks-alb` is the AWS Load Balancer Controller. The load balancer of this controller sends
   * requests directly to pods and checks the pods' readiness. The namespace must have the label
   * `elbv2.k8s.aws/pod-readiness-gate-inject=enabled`. Otherwise, a rollout may remove old pods too
   * early.
   *
   * @group Ingress
   * @default - none
   * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/
   */
  readonly ingressPreset?: "eks-alb";

  /**
   * Who can connect to the load balancer: clients in the VPC, or everyone on the internet. Needs
   * `ingressPreset`. A change creates a new load balancer with a new address.
   *
   * @group Ingress
   * @default "internal"
   */
  readonly ingressScheme?: "internal" | "internet-facing";

  /**
   * Port of the public URL. A wrong value breaks the links in responses.
   *
   * @group Ingress
   * @default - the default port of http or https
   */
  readonly publicPort?: number | undefined;

  /**
   * Whether the public URL uses https. If true, the Ingress lists the hosts under `tls`. If no
   * certificate covers a host, browsers show a warning.
   *
   * @group Ingress
   * @default false
   */
  readonly tls?: boolean;

  /**
   * Name of the Secret with the TLS certificate. Needs `tls`. If the Secret does not exist, the
   * ingress controller uses its default certificate, and browsers show a warning.
   *
   * @group Ingress
   * @default - the ingress controller finds a certificate for the host
   */
  readonly tlsSecretName?: pulumi.Input<string>;
}
