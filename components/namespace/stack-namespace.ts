import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { assertValid, dnsLabel } from "../conventions/validation";
import { type Identity, labels } from "../conventions/labels";
import { type Annotations, annotated } from "../conventions/metadata";

export interface StackNamespaceArgs {
  /** What the namespace is recognised by: nothing without these labels is ever taken over. */
  readonly identity: Identity;
  /**
   * Name of the namespace in the cluster. Another one deletes this one, with all that is in it,
   * unless `retain` is set.
   */
  readonly namespace: string;

  /**
   * Annotations of the namespace. A misspelt one does nothing, and nobody says so.
   *
   * @default {}
   */
  readonly annotations?: Annotations;

  /**
   * Kind of ingress controller. With `eks-alb` a pod only counts as ready when the load balancer
   * sends to it; without, a rollout may take the old pods away too early.
   *
   * @default - none
   */
  readonly ingressPreset?: "eks-alb";

  /**
   * Refuses every update that would delete the namespace, and with it all that is in it. To do it
   * all the same: `pulumi state unprotect`, then `pulumi up`.
   *
   * @default - as `opts` of the component say
   */
  readonly protect?: boolean;

  /**
   * Leaves the namespace in the cluster when the stack is destroyed: for one that somebody else has
   * made, or whose Secrets nobody could bring back. Without it everything in it is gone.
   *
   * @default false
   */
  readonly retain?: boolean;
}

/**
 * The namespace that a stack owns. Pods that break Pod Security's level `restricted` are refused.
 *
 * @throws pulumi.ResourceError when the name is no DNS label, before the namespace.
 */
export class StackNamespace extends pulumi.ComponentResource {
  /** The namespace's name, known once it exists: pass it on, and everything waits for it. */
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
            // Shown when a Deployment is applied, whose pods would be refused later without a word.
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
