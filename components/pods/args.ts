import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** Reference to a key of an existing Secret in the same namespace. */
export interface SecretKey {
  /** Key in the Secret. If it is missing, no pod starts. */
  readonly key: string;
  /** Name of the Secret. If it is missing, no pod starts. */
  readonly secretName: pulumi.Input<string>;
}

/** Value of an environment variable: a text, or a reference to a key of a Secret. */
export type EnvValue = pulumi.Input<string> | SecretKey;

/** An existing Secret in the same namespace, mounted as a directory with one file per key. */
export interface SecretFiles {
  /**
   * Keys to mount. If the Secret does not have a key, no new pod starts.
   *
   * @default - all keys
   */
  readonly keys?: readonly string[];
  /** Directory of the files. It hides what the image has there. */
  readonly mountPath: string;
  /** Name of the Secret. If it is missing, no pod starts. */
  readonly secretName: pulumi.Input<string>;
}

/** A container in addition to the service's own. Its name is plain text, so we can validate it. */
export type ExtraContainer = Omit<k8s.types.input.core.v1.Container, "name"> & {
  readonly name: string;
};

/** A volume in addition to the component's own. */
export type ExtraVolume = Omit<k8s.types.input.core.v1.Volume, "name"> & { readonly name: string };

/** Where the service's containers mount a volume of `volumes`. */
export type ExtraVolumeMount = Omit<k8s.types.input.core.v1.VolumeMount, "mountPath" | "name"> & {
  readonly mountPath: string;
  readonly name: string;
};

/** Args of every component that runs the service's image. */
export interface PodArgs {
  /**
   * Annotations of every object except pods, which have `podAnnotations`. A key that the component
   * sets itself is an error. A misspelled annotation has no effect and gives no error.
   *
   * @group Rare
   * @default - none
   * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/
   */
  readonly annotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Configuration files by absolute path, read-only in the service's containers.
   * A change creates a new ConfigMap and replaces the pods. Do not put secrets here.
   *
   * @group Common
   * @default - none
   * @example
   * { "/etc/orders/limits.json": JSON.stringify({ items: 50 }) }
   * @see https://kubernetes.io/docs/concepts/configuration/configmap/
   */
  readonly configFiles?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * CPU limit of the service's containers. It slows them down even on an idle node:
   * leave it out unless something requires it.
   *
   * @group Rare
   * @default - no limit
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly cpuLimit?: string;

  /**
   * Datadog's Java tracer, for traces. An init container copies it from an image such as Datadog's
   * `dd-lib-java-init`. It uses memory of the JVM.
   *
   * @group Pod
   * @default - none
   * @example
   * { imageRef: "registry.example.com/dd-lib-java-init@sha256:..." }
   */
  readonly datadogAgent?: { readonly imageRef: pulumi.Input<string> };

  /**
   * More environment variables: a text, or a key of an existing Secret in the namespace.
   * Anyone who can inspect the pod can read a variable: prefer `secretFiles` for secrets.
   * A name that the component sets itself is an error.
   *
   * @group Common
   * @default {}
   * @example
   * { LOG_LEVEL: "debug", PARTNER_TOKEN: { secretName: "partner", key: "token" } }
   */
  readonly env?: Readonly<Record<string, EnvValue>>;

  /**
   * IAM role of the pods on EKS (IRSA), as an annotation of the ServiceAccount.
   * The role must trust that ServiceAccount; otherwise AWS refuses each call.
   *
   * @group Pod
   * @default - none
   * @example
   * "arn:aws:iam::111122223333:role/orders-prod"
   * @see https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
   */
  readonly iamRoleArn?: string;

  /**
   * Init containers: they run one after the other before the service and the database migration.
   * If one fails, the pod does not start. Without a `securityContext` they get the service's own,
   * which Pod Security `restricted` requires.
   *
   * @group Pod
   * @default - none
   * @see https://kubernetes.io/docs/concepts/workloads/pods/init-containers/
   */
  readonly initContainers?: readonly ExtraContainer[];

  /**
   * JVM flags, in `JAVA_TOOL_OPTIONS` after those that every pod gets: if two of them differ, the
   * JVM takes the later one. With an unknown flag, no pod starts.
   *
   * @group Rare
   * @default - none
   * @example
   * ["-Xlog:gc"]
   * @see https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html
   */
  readonly javaOptions?: readonly string[];

  /**
   * Labels of every object except pods, which have `podLabels`. Selectors do not contain them.
   * A key that the component sets itself is an error.
   *
   * @group Common
   * @default - none
   * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
   */
  readonly labels?: Readonly<Record<string, string>>;

  /**
   * Datadog's log source, as an annotation of the pods: it selects the pipeline for the log.
   * With a wrong source, lines have no level and stack traces are split.
   *
   * @group Pod
   * @default - Datadog's own choice
   * @example
   * "java"
   */
  readonly logSource?: string;

  /**
   * Memory limit: above it, the kernel kills the container. If it is above the request, a pod can
   * also be killed when its node runs out of memory.
   *
   * @group Pod
   * @default - the request
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly memoryLimit?: string;

  /**
   * Labels that a node must have. If no node has them, the pods stay pending.
   *
   * @group Pod
   * @default - any node
   * @example
   * { "kubernetes.io/arch": "arm64" }
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodeselector
   */
  readonly nodeSelector?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Annotations of the pods. A change replaces the pods.
   *
   * @group Pod
   * @default - none
   */
  readonly podAnnotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * Labels of the pods. Selectors do not contain them. A change replaces the pods.
   * A key that the component sets itself is an error.
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
   * Sidecars: containers that start before all others, the database migration included, and stop
   * after them. Without a `securityContext` they get the service's own.
   * Set their `resources`: a namespace with a quota refuses pods without requests.
   *
   * @group Pod
   * @default - none
   * @see https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
   */
  readonly sidecars?: readonly ExtraContainer[];

  /**
   * Taints that the pods tolerate. They do not keep pods away from other nodes; `nodeSelector`
   * does.
   *
   * @group Pod
   * @default - none
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
   */
  readonly tolerations?: readonly k8s.types.input.core.v1.Toleration[];

  /**
   * Where the service's containers mount the `volumes`.
   * A mount hides what the image has at that path.
   *
   * @group Pod
   * @default - none
   */
  readonly volumeMounts?: readonly ExtraVolumeMount[];

  /**
   * Volumes of the pods, as Kubernetes fields. If a volume cannot be mounted, for example because
   * its claim does not exist, no new pod starts.
   *
   * @group Pod
   * @default - none
   * @example
   * [{ name: "cache", emptyDir: { sizeLimit: "1Gi" } }]
   * @see https://kubernetes.io/docs/concepts/storage/volumes/
   */
  readonly volumes?: readonly ExtraVolume[];
}
