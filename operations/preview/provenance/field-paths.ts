/** The field of an object at `path`, and all fields below this path. */
export interface Field {
  /** Kind of the object, such as `Deployment`. */
  readonly kind: string;
  /**
   * Path in Pulumi's form, such as `spec.template.spec.containers[*].env[name=PORT]` or
   * `metadata.labels["app.kubernetes.io/name"]`. `[*]` stands for any element of a list, and
   * `[name=X]` for the element with the name X. If the path is empty, the arg determines whether
   * the object exists.
   */
  readonly path: string;
}

/**
 * The fields that each arg of a component sets. The key is the arg's name. For the arg `overrides`,
 * the map has one key for each spec, such as `overrides.podSpec`.
 */
export type FieldsOfArgs = Readonly<Record<string, readonly Field[]>>;

/** Returns the fields at the given paths, for one kind of object. */
export function of(kind: string, ...paths: readonly string[]): readonly Field[] {
  return paths.map((path) => ({ kind, path }));
}

/** Returns the fields at the given paths, for each of several kinds of objects. */
export function all(kinds: readonly string[], ...paths: readonly string[]): readonly Field[] {
  return kinds.flatMap((kind) => of(kind, ...paths));
}

/** Returns one full path for each combination of a prefix and a path. */
export function under(prefixes: readonly string[], ...paths: readonly string[]): readonly string[] {
  return prefixes.flatMap((prefix) => paths.map((path) => `${prefix}.${path}`));
}

export function named(list: string, ...names: readonly string[]): readonly string[] {
  return names.map((name) => `${list}[name=${name}]`);
}

const selecting = ["instance", "name"].map((key) => `["app.kubernetes.io/${key}"]`);
/**
 * Paths of the labels that every object of a component has. The labels' values come from the arg
 * `identity`.
 */
export const identityLabels = [
  ...["app", "protected_branch", "service"].map((key) => `metadata.labels.${key}`),
  ...[...selecting, '["app.kubernetes.io/part-of"]'].map((key) => `metadata.labels${key}`),
];
/**
 * Paths of the labels that workloads and pods have, and whose values come from the arg `identity`.
 */
const workloadIdentityLabels = [
  ...identityLabels,
  ...["env", "service"].map((key) => `metadata.labels["tags.datadoghq.com/${key}"]`),
];
/** Paths of the labels whose values come from the arg `release`. */
const releaseLabels = [
  ...["branch", "commit_id", "version"].map((key) => `metadata.labels.${key}`),
  'metadata.labels["tags.datadoghq.com/version"]',
];

/**
 * Facts about a component that creates pods: the kinds of its objects, the paths of its pod
 * template and metadata, and the names of its init containers.
 */
export interface Pods {
  /** Names of the init containers with the service's image that the component itself adds. */
  readonly initContainers: readonly string[];
  readonly kind: string;
  /** Kinds of all objects that the component can create. */
  readonly kinds: readonly string[];
  /**
   * Paths of further metadata in the object whose kind is `kind`, such as a Job template's
   * metadata. Like the object's own metadata, this metadata contains the caller's labels and
   * annotations.
   */
  readonly metadata: readonly string[];
  /** Path of the pod template in the object whose kind is `kind`. */
  readonly template: string;
}

/**
 * Returns the fields that each arg sets, for the args that web services and scheduled jobs have in
 * common.
 */
export function podArgs({ initContainers, kind, kinds, metadata, template }: Pods) {
  const pod = `${template}.spec`;
  /** Paths of the containers that run the service's image. */
  const containers = [`${pod}.containers[*]`, ...named(`${pod}.initContainers`, ...initContainers)];
  const agent = `${pod}.initContainers[name=datadog-agent]`;
  const env = (...names: readonly string[]) =>
    containers.flatMap((c) => named(`${c}.env`, ...names));
  const mounts = under(containers, "volumeMounts[*]");
  const resources = under([...containers, agent], "resources");
  return {
    annotations: [
      ...all(kinds, "metadata.annotations"),
      ...of(kind, ...under(metadata, "annotations")),
    ],
    appEndpoint: of(kind, ...env("APP_ENDPOINT")),
    configFiles: [
      ...of("ConfigMap", "", "data"),
      ...of(kind, ...mounts, `${pod}.volumes[name=config-files]`),
    ],
    cpuLimit: of(kind, ...resources, ...env("JAVA_TOOL_OPTIONS")),
    database: of(
      kind,
      ...env(
        ...[
          ...["HOST", "NAME", "PASSWORD_FILE", "PORT"],
          ...["SSLMODE", "SSLROOTCERT", "USERNAME_FILE"],
        ].map((key) => `DATABASE_${key}`),
      ),
      ...under(containers, "volumeMounts[name=database]"),
      `${pod}.volumes[name=database]`,
    ),
    datadogAgent: of(
      kind,
      ...env("JAVA_TOOL_OPTIONS"),
      agent,
      ...under(containers, "volumeMounts[name=datadog-agent]"),
      `${pod}.volumes[name=datadog-agent]`,
    ),
    env: of(kind, ...under(containers, "env[*]")),
    iamRoleArn: of("ServiceAccount", 'metadata.annotations["eks.amazonaws.com/role-arn"]'),
    identity: [
      ...all(kinds, ...identityLabels),
      ...of(
        kind,
        ...workloadIdentityLabels,
        ...under([template], ...workloadIdentityLabels, "metadata.annotations"),
        ...env("DD_ENV", "DD_SERVICE"),
      ),
    ],
    imageRef: of(kind, ...under(containers, "image")),
    initContainers: of(kind, `${pod}.initContainers[*]`),
    javaOptions: of(kind, ...env("JAVA_TOOL_OPTIONS")),
    labels: [...all(kinds, "metadata.labels"), ...of(kind, ...under(metadata, "labels"))],
    logSource: of(kind, `${template}.metadata.annotations`),
    memoryLimit: of(kind, ...under([...containers, agent], "resources.limits.memory")),
    namespace: all(kinds, "metadata.namespace"),
    nodeSelector: of(kind, `${pod}.nodeSelector`),
    podAnnotations: of(kind, `${template}.metadata.annotations`),
    podLabels: of(kind, `${template}.metadata.labels`),
    release: of(
      kind,
      ...releaseLabels,
      ...under([template], ...releaseLabels),
      ...env("DD_VERSION"),
    ),
    requests: of(kind, ...resources, ...env("JAVA_TOOL_OPTIONS")),
    secretFiles: of(kind, ...mounts, `${pod}.volumes[*]`),
    sidecars: of(kind, `${pod}.initContainers[*]`),
    tolerations: of(kind, `${pod}.tolerations`),
    volumeMounts: of(kind, ...mounts),
    volumes: of(kind, `${pod}.volumes[*]`),
  } as const satisfies FieldsOfArgs;
}
