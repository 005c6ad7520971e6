import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** Reference to a key of an existing Secret in the namespace of the pods. */
export interface SecretKey {
  /** Key in the Secret. If the Secret does not have the key, no new pod starts. */
  readonly key: string;
  /** Name of the Secret. If the Secret does not exist, no new pod starts. */
  readonly secretName: pulumi.Input<string>;
}

/** Value of an environment variable: a text, or a reference to a key of a Secret. */
export type EnvValue = pulumi.Input<string> | SecretKey;

/**
 * An existing Secret in the namespace of the pods, mounted as a directory with one file per key.
 */
export interface SecretFiles {
  /**
   * Keys to mount. If one of these keys is not in the Secret, no new pod starts.
   *
   * @default - all keys
   */
  readonly keys?: readonly string[];
  /** Directory for the files. The mount hides the image's files in this directory. */
  readonly mountPath: string;
  /** Name of the Secret. If the Secret does not exist, no new pod starts. */
  readonly secretName: pulumi.Input<string>;
}

/**
 * A container in addition to the service's container. The container's name is plain text and not an
 * output, so that the component can validate the name.
 */
export type ExtraContainer = Omit<k8s.types.input.core.v1.Container, "name"> & {
  readonly name: string;
};

/** A volume in addition to the component's volumes. */
export type ExtraVolume = Omit<k8s.types.input.core.v1.Volume, "name"> & { readonly name: string };

/** Path at which the service's containers mount one of the `volumes`. */
export type ExtraVolumeMount = Omit<k8s.types.input.core.v1.VolumeMount, "mountPath" | "name"> & {
  readonly mountPath: string;
  readonly name: string;
};

/** Args that both a WebService and a ScheduledJob have. */
export interface PodArgs {
  /**
   * Annotations of every object of the component, except pods. For pods, use `podAnnotations`. A
   * key that the component sets itself is an error. A misspelled annotation has no effect and gives
   * no error.
   *
   * @group Rare
   * @default - none
   * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/
   */
  readonly annotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Configuration files by absolute path. In the service's containers, these files are read-only. A
   * change creates a new ConfigMap and replaces the pods of a web service. Do not put secrets here.
   *
   * @group Common
   * @default - none
   * @example
   * { "/etc/orders/limits.json": JSON.stringify({ items: 50 }) }
   * @see https://kubernetes.io/docs/concepts/configuration/configmap/
   */
  readonly configFiles?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * CPU limit of the service's containers. A CPU limit can slow containers down, even on an idle
   * node. Set this arg only if a policy of your cluster requires a limit.
   *
   * @group Rare
   * @default - no limit
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly cpuLimit?: string;

  /**
   * Image with Datadog's Java tracer, such as Datadog's `dd-lib-java-init`. An init container
   * copies the tracer from this image. The tracer uses memory of the JVM, so you may have to
   * increase `memoryLimit`.
   *
   * @group Pod
   * @default - none
   * @example
   * { imageRef: "registry.example.com/dd-lib-java-init@sha256:..." }
   */
  readonly datadogAgent?: { readonly imageRef: pulumi.Input<string> };

  /**
   * Additional environment variables. A value is a text, or a reference to a key of an existing
   * Secret in the namespace. Anyone who can read the spec of the pod can read the texts. For
   * secrets, prefer `secretFiles`. A name that the component sets itself is an error.
   *
   * @group Common
   * @default {}
   * @example
   * { LOG_LEVEL: "debug", PARTNER_TOKEN: { secretName: "partner", key: "token" } }
   */
  readonly env?: Readonly<Record<string, EnvValue>>;

  /**
   * ARN of the pods' IAM role on EKS (IRSA). The component writes the ARN into an annotation of the
   * ServiceAccount. The role must trust that ServiceAccount. Otherwise, AWS refuses each request of
   * the pods.
   *
   * @group Pod
   * @default - none
   * @example
   * "arn:aws:iam::111122223333:role/orders-prod"
   * @see https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
   */
  readonly iamRoleArn?: string;

  /**
   * Init containers, which run in sequence, before the database migration and before the service.
   * If an init container fails, the pod does not start. An init container without a
   * `securityContext` gets the service's security context, which Pod Security `restricted` accepts.
   *
   * @group Pod
   * @default - none
   * @see https://kubernetes.io/docs/concepts/workloads/pods/init-containers/
   */
  readonly initContainers?: readonly ExtraContainer[];

  /**
   * Additional JVM flags. `JAVA_TOOL_OPTIONS` contains these flags after the flags that every pod
   * gets. If two flags set the same option, the JVM uses the later flag. With an unknown flag, the
   * JVM does not start.
   *
   * @group Rare
   * @default - none
   * @example
   * ["-Xlog:gc"]
   * @see https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html
   */
  readonly javaOptions?: readonly string[];

  /**
   * Labels of every object of the component, except pods. For pods, use `podLabels`. Selectors do
   * not contain these labels. A key that the component sets itself is an error.
   *
   * @group Common
   * @default - none
   * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
   */
  readonly labels?: Readonly<Record<string, string>>;

  /**
   * Log source for Datadog, as an annotation of the pods. The source selects the log pipeline in
   * Datadog. With a wrong source, log entries have no level, and each line of a stack trace becomes
   * a separate entry.
   *
   * @group Pod
   * @default - Datadog's own choice
   * @example
   * "java"
   */
  readonly logSource?: string;

  /**
   * Memory limit of the service's containers. If a container uses more memory, the kernel kills the
   * container. If the limit is above the request, the kernel can also kill the container when the
   * node runs out of memory.
   *
   * @group Pod
   * @default - the request
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly memoryLimit?: string;

  /**
   * Labels that a node must have to run the pods. If no node has these labels, the pods stay
   * pending.
   *
   * @group Pod
   * @default - any node
   * @example
   * { "kubernetes.io/arch": "arm64" }
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodeselector
   */
  readonly nodeSelector?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Annotations of the pods. A change replaces the pods of a web service.
   *
   * @group Pod
   * @default - none
   */
  readonly podAnnotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Labels of the pods. Selectors do not contain these labels. A change replaces the pods of a web
   * service. A key that the component sets itself is an error.
   *
   * @group Common
   * @default - none
   */
  readonly podLabels?: Readonly<Record<string, string>>;

  /**
   * Existing Secrets of the namespace, as read-only files in the service's containers.
   * If a Secret or a key is missing, no new pod starts.
   *
   * @group Common
   * @default - none
   * @example
   * [{ mountPath: "/etc/secrets/partner", secretName: "partner" }]
   * @see https://kubernetes.io/docs/concepts/configuration/secret/
   */
  readonly secretFiles?: readonly SecretFiles[];

  /**
   * Sidecar containers. Sidecars start before all other containers, including the container that
   * migrates the database. Sidecars stop last. A sidecar without a `securityContext` gets the
   * service's security context. Set the `resources` of each sidecar. If a namespace has a quota but
   * no default requests, Kubernetes refuses each pod that has a container without requests.
   *
   * @group Pod
   * @default - none
   * @see https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
   */
  readonly sidecars?: readonly ExtraContainer[];

  /**
   * Taints that the pods tolerate. With tolerations, the pods can still run on nodes without these
   * taints. To select nodes, use `nodeSelector`.
   *
   * @group Pod
   * @default - none
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
   */
  readonly tolerations?: readonly k8s.types.input.core.v1.Toleration[];

  /**
   * Paths at which the service's containers mount the `volumes`. A mount hides the files of the
   * image at this path.
   *
   * @group Pod
   * @default - none
   */
  readonly volumeMounts?: readonly ExtraVolumeMount[];

  /**
   * Volumes of the pods, with the fields of a Kubernetes volume. If the kubelet cannot mount a
   * volume, for example because a ConfigMap does not exist, no new pod starts.
   *
   * @group Pod
   * @default - none
   * @example
   * [{ name: "cache", emptyDir: { sizeLimit: "1Gi" } }]
   * @see https://kubernetes.io/docs/concepts/storage/volumes/
   */
  readonly volumes?: readonly ExtraVolume[];
}
