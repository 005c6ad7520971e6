import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** Value of a variable that a key of an existing Secret in the same namespace holds. */
export interface SecretKey {
  /** Key in the Secret. Without it no pod starts. */
  readonly key: string;
  /** Name of the Secret. Without it no pod starts. */
  readonly secretName: pulumi.Input<string>;
}

/** Value of one environment variable: a text, or a reference to a Secret's key. */
export type EnvValue = pulumi.Input<string> | SecretKey;

/** An existing Secret in the same namespace, each key of which is a file in one directory. */
export interface SecretFiles {
  /**
   * Keys that become files. One that the Secret does not have starts no new pod.
   *
   * @default - all of them
   */
  readonly keys?: readonly string[];
  /** Directory that is made for the files. What the image has there is hidden. */
  readonly mountPath: string;
  /** Name of the Secret. Without it no pod starts. */
  readonly secretName: pulumi.Input<string>;
}

/** A container beside the service's own. Its name is plain text, so that it can be checked. */
export type ExtraContainer = Omit<k8s.types.input.core.v1.Container, "name"> & {
  readonly name: string;
};

/** A volume beside the service's own. */
export type ExtraVolume = Omit<k8s.types.input.core.v1.Volume, "name"> & { readonly name: string };

/** Where the containers of the service's image find a volume of `volumes`. */
export type ExtraVolumeMount = Omit<k8s.types.input.core.v1.VolumeMount, "mountPath" | "name"> & {
  readonly mountPath: string;
  readonly name: string;
};

/** What every component that runs the service's image has in common. */
export interface PodArgs {
  /**
   * Annotations of every object, beside the component's own; pods have `podAnnotations`. A key that
   * the component sets itself is refused. A misspelt one does nothing, and nobody says so.
   *
   * @default - none
   */
  readonly annotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Files of configuration by their absolute path, read-only in all containers of the service's
   * image. A change makes a new ConfigMap, and the pods are replaced. No place for a secret.
   *
   * @default - none
   * @example
   * { "/etc/orders/limits.json": JSON.stringify({ items: 50 }) }
   */
  readonly configFiles?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Most CPU that the service's containers may use. It slows them down on idle nodes too, so leave
   * it out unless something else asks for it.
   *
   * @default - no limit
   */
  readonly cpuLimit?: string;

  /**
   * Datadog's agent inside of the JVM, for traces: copied by an init container from an image that
   * has it as Datadog's own for Java has. It needs memory of the JVM's.
   *
   * @default - none
   * @example
   * { imageRef: "registry.example.com/dd-lib-java-init@sha256:..." }
   */
  readonly datadogAgent?: { readonly imageRef: pulumi.Input<string> };

  /**
   * More environment variables: a text, or a key of a Secret that exists in the namespace.
   * Whoever may look into the pod can read a variable: for a secret prefer `secretFiles`.
   * A name that the component sets itself is refused.
   *
   * @default {}
   * @example
   * { LOG_LEVEL: "debug", PARTNER_TOKEN: { secretName: "partner", key: "token" } }
   */
  readonly env?: Readonly<Record<string, EnvValue>>;

  /**
   * IAM role that the pods may assume on EKS (IRSA), by an annotation of the ServiceAccount.
   * The role must trust that ServiceAccount; otherwise each call to AWS is refused.
   *
   * @default - none
   * @example
   * "arn:aws:iam::123456789012:role/services-orders-prod"
   */
  readonly iamRoleArn?: string;

  /**
   * Containers that run to their end, one after the other, before the service's own, the database
   * migration included. One that fails keeps the pod from starting. Without a `securityContext`
   * they get the service's own, which Pod Security `restricted` asks for.
   *
   * @default - none
   */
  readonly initContainers?: readonly ExtraContainer[];

  /**
   * Labels of every object, beside the component's own; pods have `podLabels`. Never in a selector.
   * A key that the component sets itself is refused.
   *
   * @default - none
   */
  readonly labels?: Readonly<Record<string, string>>;

  /**
   * What Datadog takes the log for, by an annotation of the pods: the pipeline that reads it. A
   * wrong one leaves its lines unparsed: without levels, and stack traces in pieces.
   *
   * @default - what Datadog takes it for by itself
   * @example
   * "java"
   */
  readonly logSource?: string;

  /**
   * Memory above which a container is killed. Above what is requested, a pod can be killed for
   * memory that its node no longer has.
   *
   * @default - what is requested
   */
  readonly memoryLimit?: string;

  /**
   * Labels that a node must have. Where no node has them, the pods stay pending.
   *
   * @default - any node
   * @example
   * { "kubernetes.io/arch": "arm64" }
   */
  readonly nodeSelector?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Annotations of the pods. A change replaces the pods.
   *
   * @default - none
   */
  readonly podAnnotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Labels of the pods, beside the component's own. Never in a selector. A change replaces the
   * pods; a key that the component sets itself is refused.
   *
   * @default - none
   */
  readonly podLabels?: Readonly<Record<string, string>>;

  /**
   * Secrets that exist in the namespace, as read-only files in all containers of the service's
   * image. Where a Secret or a key is missing, no new pod starts.
   *
   * @default - none
   * @example
   * [{ mountPath: "/etc/secrets/partner", secretName: "partner" }]
   */
  readonly secretFiles?: readonly SecretFiles[];

  /**
   * Containers that run as long as the service's own: started before everything else, the database
   * migration included, and ended after it. Without a `securityContext` they get the service's own.
   * Give them `resources`: a namespace with a quota refuses pods without.
   *
   * @default - none
   */
  readonly sidecars?: readonly ExtraContainer[];

  /**
   * Taints of nodes that the pods bear. They keep no pod away from other nodes; `nodeSelector`
   * does.
   *
   * @default - none
   */
  readonly tolerations?: readonly k8s.types.input.core.v1.Toleration[];

  /**
   * Where the containers of the service's image find the `volumes`. What the image has at such a
   * path is hidden.
   *
   * @default - nowhere
   */
  readonly volumeMounts?: readonly ExtraVolumeMount[];

  /**
   * Volumes of the pods, as Kubernetes writes them. One that cannot be mounted, as a claim that
   * there is not, starts no new pod.
   *
   * @default - none
   * @example
   * [{ name: "cache", emptyDir: { sizeLimit: "1Gi" } }]
   */
  readonly volumes?: readonly ExtraVolume[];
}
