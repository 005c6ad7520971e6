import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { assertValid } from "../conventions/expected-error";
import { dnsLabel } from "../conventions/validation";
import { type Identity, labels } from "../conventions/labels";
import { type Annotations, annotated } from "../conventions/metadata";

export interface StackNamespaceArgs {
  /** Labels that identify the namespace. A namespace without them is never taken over. */
  readonly identity: Identity;
  /**
   * Name of the namespace. Another name deletes this namespace with everything in it, unless
   * `retain` is set.
   */
  readonly namespace: string;

  /**
   * Annotations of the namespace. A misspelled annotation has no effect and gives no error.
   *
   * @default {}
   */
  readonly annotations?: Annotations;

  /**
   * Type of ingress controller. With `eks-alb`, a pod only counts as ready when the load balancer
   * sends requests to it; otherwise, a rollout may remove the old pods too early.
   *
   * @default - none
   */
  readonly ingressPreset?: "eks-alb";

  /**
   * Refuses updates that delete the namespace with everything in it.
   * To do it anyway, run `pulumi state unprotect`, then `pulumi up`.
   *
   * @default - the component's `opts.protect`
   */
  readonly protect?: boolean;

  /**
   * Keeps the namespace in the cluster when the stack is destroyed: for a namespace that others
   * created, or with Secrets that cannot be restored. Without it, everything in it is deleted.
   *
   * @default false
   */
  readonly retain?: boolean;
}

/**
 * The namespace of a stack. It refuses pods that violate Pod Security level `restricted`.
 *
 * @throws pulumi.ResourceError if the name is not a DNS label, before the first child.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export class StackNamespace extends pulumi.ComponentResource {
  /** The namespace's name, known once it exists: use it, and objects wait for the namespace. */
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
            // Warns when a Deployment is applied. Otherwise its pods are refused without a message.
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
