import {
  type FieldsOfArgs,
  all,
  identityLabels,
  named,
  of,
  under,
  workloadIdentityLabels,
  releaseLabels,
} from "./field-paths";

/** Where the pods of a component are, and what is in them. */
export interface Pods {
  /** Names of the component's own init containers of the service's image. */
  readonly initContainers: readonly string[];
  readonly kind: string;
  /** Kinds of all objects that the component may make. */
  readonly kinds: readonly string[];
  /**
   * Metadata that carries the caller's labels and annotations, in addition to that of each object.
   */
  readonly metadata: readonly string[];
  /** Path of the pods' template. */
  readonly template: string;
}

/** Args that every component with pods of the service has. */
export function podArgs({ initContainers, kind, kinds, metadata, template }: Pods) {
  const pod = `${template}.spec`;
  /** Containers of the service's image. */
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
        ...["HOST", "NAME", "PASSWORD_FILE", "PORT", "USERNAME_FILE"].map(
          (key) => `DATABASE_${key}`,
        ),
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
