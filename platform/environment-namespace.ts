import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { labels } from "../components/conventions/labels";
import { identityOf } from "../settings/identity";

export interface EnvironmentNamespaceArgs {
  readonly environment: "prod" | "staging";
  readonly namespace: string;
}

/**
 * The namespace of staging or production. The platform creates the namespace before the first
 * deploy of the stack, because the first deploy needs the Secrets and the permissions in this
 * namespace. The namespace has the labels of the stack, so that the stack adopts the namespace. The
 * namespace has the option `protect`, so Pulumi refuses to delete the namespace.
 */
export class EnvironmentNamespace extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: EnvironmentNamespaceArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("services:k8s:EnvironmentNamespace", name, args, opts);
    const { environment, namespace } = args;
    new k8s.core.v1.Namespace(
      name,
      {
        metadata: {
          labels: {
            ...labels(identityOf(environment, environment), "namespace"),
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
          },
          name: namespace,
        },
      },
      { parent: this, protect: true },
    );
    this.registerOutputs({});
  }
}
