import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { assertValid } from "../conventions/expected-error";
import { dnsLabel } from "../conventions/validation";
import { type Identity, labels } from "../conventions/labels";
import { type Annotations, annotated } from "../conventions/metadata";

export interface StackNamespaceArgs {
  /**
   * Labels that identify the namespace. The program adopts an existing namespace only if the
   * namespace has the `ownerLabels` of this identity.
   */
  readonly identity: Identity;
  /**
   * Name of the namespace. Without `retain`, a change of the name deletes the old namespace with
   * everything in it.
   */
  readonly namespace: string;

  /**
   * Annotations of the namespace. A misspelled annotation has no effect and gives no error.
   *
   * @default {}
   */
  readonly annotations?: Annotations;

  /**
   * Type of ingress controller. With `eks-alb`, a pod in the load balancer's target group becomes
   * ready only when the load balancer reports that the pod is healthy. Without this preset, a
   * rollout on EKS may remove the old pods too early.
   *
   * @default - none
   */
  readonly ingressPreset?: "eks-alb";

  /**
   * Makes Pulumi refuse updates that delete the namespace with everything in it. To allow such an
   * update, run `pulumi state unprotect` before `pulumi up`.
   *
   * @default - the component's `opts.protect`
   */
  readonly protect?: boolean;

  /**
   * Keeps the namespace in the cluster when someone destroys the stack or changes `namespace`. Set
   * this arg to `true` for a namespace that the stack did not create, or whose Secrets the stack
   * cannot restore. With `false`, Pulumi deletes the namespace with everything in it.
   *
   * @default false
   */
  readonly retain?: boolean;
}

/**
 * The namespace of a stack. In this namespace, Kubernetes refuses pods that violate Pod Security
 * level `restricted`.
 *
 * @throws pulumi.ResourceError if the name is not a DNS label, before the component creates a child
 * resource.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export class StackNamespace extends pulumi.ComponentResource {
  /**
   * Name of the namespace. The value becomes known when the namespace exists, so resources that use
   * this value wait for the namespace.
   */
  readonly namespace: pulumi.Output<string>;
  readonly nodes: { readonly namespace: k8s.core.v1.Namespace };

  constructor(name: string, args: StackNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:StackNamespace", name, args, opts);
    assertValid(this, "StackNamespace", name, [dnsLabel("namespace", args.namespace)]);
    const { annotations = {}, ingressPreset, protect, retain = false } = args;
    const namespace = new k8s.core.v1.Namespace(
      name,
      {
        metadata: {
          ...annotated(annotations),
          labels: {
            ...labels(args.identity, "namespace"),
            "pod-security.kubernetes.io/enforce": "restricted",
            // If the pods of a Deployment violate this level, Kubernetes warns when Pulumi applies
            // the Deployment. Kubernetes refuses the pods later, and Pulumi shows no message about
            // this refusal.
            "pod-security.kubernetes.io/warn": "restricted",
            ...(ingressPreset === undefined
              ? {}
              : { "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled" }),
          },
          name: args.namespace,
        },
      },
      { parent: this, retainOnDelete: retain, ...(protect === undefined ? {} : { protect }) },
    );
    this.nodes = { namespace };
    this.namespace = namespace.metadata.name;
    this.registerOutputs({ namespace: this.namespace });
  }
}
