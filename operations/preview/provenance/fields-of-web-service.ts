import { type Field, type FieldsOfArgs, named, of, type Pods, podArgs } from "./field-paths";

const webPods: Pods = {
  initContainers: ["migrate", "seed"],
  kind: "Deployment",
  kinds: [
    ...["ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Ingress", "PodDisruptionBudget"],
    ...["Service", "ServiceAccount"],
  ],
  metadata: [],
  template: "spec.template",
};
const webPod = `${webPods.template}.spec`;
const webContainer = `${webPod}.containers[*]`;
const webEnv = (name: string) => `${webContainer}.env[name=${name}]`;
/**
 * Fields with label selectors that match the pods of this Deployment, and not the pods of the
 * canary.
 */
const trackSelectors = [
  ...of("Deployment", "spec.selector.matchLabels", `${webPod}.affinity`),
  ...of("Deployment", `${webPod}.topologySpreadConstraints[*].labelSelector`),
  ...of("PodDisruptionBudget", "spec.selector.matchLabels"),
];
/**
 * Returns the fields of the Ingress annotations with these keys. The AWS Load Balancer Controller
 * reads these annotations.
 */
const alb = (...keys: readonly string[]) =>
  of("Ingress", ...keys.map((key) => `metadata.annotations["alb.ingress.kubernetes.io/${key}"]`));
/** Fields of the Deployment that contain the service's public URL. */
const url = of(
  "Deployment",
  ...[webContainer, ...named(`${webPod}.initContainers`, ...webPods.initContainers)].map(
    (container) => `${container}.env[name=APP_ENDPOINT]`,
  ),
);
const probes = ["livenessProbe", "readinessProbe", "startupProbe"];
const sharedWeb = podArgs(webPods);
/**
 * Fields about the volume for diagnostics. The values depend on the memory of a pod, because the
 * volume must have space for heap dumps.
 */
const diagnostics = of(
  "Deployment",
  webEnv("DIAGNOSTICS_VOLUME_BYTES"),
  `${webPod}.volumes[name=diagnostics].emptyDir.sizeLimit`,
);

/** The fields that each arg of a WebService sets. */
export const webServiceFields = {
  ...sharedWeb,
  args: of("Deployment", `${webContainer}.args`),
  autoscaling: [
    ...of("Deployment", "spec.replicas"),
    ...of("HorizontalPodAutoscaler", "", "spec.maxReplicas", "spec.metrics", "spec.minReplicas"),
    ...of("PodDisruptionBudget", ""),
  ],
  database: [...sharedWeb.database, ...of("Deployment", `${webPod}.initContainers[name=migrate]`)],
  debugPort: of("Deployment", webEnv("JAVA_TOOL_OPTIONS"), `${webContainer}.ports[name=debug]`),
  deregistrationDelaySeconds: alb("target-group-attributes"),
  drainSeconds: of("Deployment", webEnv("DRAIN_SECONDS")),
  host: [...of("Ingress", "", "spec.rules", "spec.tls"), ...url],
  hosts: [...of("Ingress", "", "spec.rules", "spec.tls"), ...url],
  identity: [...sharedWeb.identity, ...trackSelectors, ...of("Service", "spec.selector")],
  ingressAnnotations: of("Ingress", "metadata.annotations"),
  ingressClassName: of("Ingress", "spec.ingressClassName"),
  ingressGroupName: alb("group.name"),
  ingressPreset: [...of("Ingress", "metadata.annotations", "spec.ingressClassName")],
  ingressScheme: alb("scheme"),
  livenessProbe: of("Deployment", `${webContainer}.livenessProbe`),
  longMigration: of("Job", ""),
  managementPort: [
    ...of("Deployment", webEnv("MANAGEMENT_PORT"), `${webContainer}.ports[name=management]`),
    // If `managementPort` has the same value as `port`, the probes use the port of the arg `port`.
    ...of("Deployment", ...probes.map((probe) => `${webContainer}.${probe}.httpGet.port`)),
    ...alb("healthcheck-port"),
  ],
  maxSurge: of("Deployment", "spec.strategy.rollingUpdate.maxSurge"),
  maxUnavailable: of("Deployment", "spec.strategy.rollingUpdate.maxUnavailable"),
  migrationArgs: of("Deployment", `${webPod}.initContainers[name=migrate]`),
  minReadySeconds: of("Deployment", "spec.minReadySeconds"),
  memoryLimit: [...sharedWeb.memoryLimit, ...diagnostics],
  "overrides.autoscalerSpec": of("HorizontalPodAutoscaler", "spec"),
  "overrides.container": of("Deployment", webContainer),
  "overrides.deploymentSpec": of("Deployment", "spec"),
  "overrides.ingressSpec": of("Ingress", "spec"),
  "overrides.podDisruptionBudgetSpec": of("PodDisruptionBudget", "spec"),
  "overrides.podSpec": of("Deployment", webPod),
  "overrides.serviceSpec": of("Service", "spec"),
  port: of("Deployment", webEnv("PORT"), `${webContainer}.ports[name=http]`),
  ports: [...of("Deployment", `${webContainer}.ports[*]`), ...of("Service", "spec.ports[*]")],
  preStopSeconds: of("Deployment", `${webContainer}.lifecycle.preStop`),
  progressDeadlineSeconds: of("Deployment", "spec.progressDeadlineSeconds"),
  // This arg sets a resource option, not a field.
  protect: [],
  publicPort: url,
  readinessProbe: [
    ...of("Deployment", `${webContainer}.readinessProbe`),
    ...alb("healthcheck-path"),
  ],
  replicas: [...of("Deployment", "spec.replicas"), ...of("PodDisruptionBudget", "")],
  requests: [...sharedWeb.requests, ...diagnostics],
  revisionHistoryLimit: of("Deployment", "spec.revisionHistoryLimit"),
  seedArgs: of("Deployment", `${webPod}.initContainers[name=seed]`),
  startupProbe: of("Deployment", `${webContainer}.startupProbe`),
  terminationGracePeriodSeconds: of("Deployment", `${webPod}.terminationGracePeriodSeconds`),
  tls: [...of("Ingress", "spec.tls"), ...alb("listen-ports", "ssl-policy", "ssl-redirect"), ...url],
  tlsSecretName: of("Ingress", "spec.tls[*].secretName"),
  track: [
    ...trackSelectors,
    ...of("Deployment", "metadata.labels.track", `${webPods.template}.metadata.labels.track`),
  ],
} as const satisfies FieldsOfArgs;

/** Args of a WebService that a Canary does not have. */
const noCanary = [
  ...["autoscaling", "iamRoleArn", "longMigration", "migrationArgs"],
  ...["protect", "seedArgs", "track"],
  ...["autoscalerSpec", "ingressSpec", "podDisruptionBudgetSpec", "serviceSpec"].map(
    (spec) => `overrides.${spec}`,
  ),
];

/**
 * Whether a field of a WebService also exists in a Canary. A Canary has only two of a WebService's
 * objects: the ConfigMap, and the Deployment without the init containers `migrate` and `seed`.
 */
function ofCanary({ kind, path }: Field): boolean {
  const own = named(`${webPod}.initContainers`, ...webPods.initContainers);
  return (
    (kind === "ConfigMap" || kind === "Deployment") && !own.some((start) => path.startsWith(start))
  );
}

/** The fields that each arg of a Canary sets. */
export const canaryFields: FieldsOfArgs = {
  ...Object.fromEntries(
    Object.entries<readonly Field[]>(webServiceFields)
      .filter(([arg]) => !noCanary.includes(arg))
      .map(([arg, its]) => [arg, its.filter(ofCanary)]),
  ),
  // The name of the canary's container is the service's name. If this name changes, the preview
  // shows a new container.
  identity: [
    ...webServiceFields.identity.filter(ofCanary),
    ...of("Deployment", webContainer),
    ...of("NetworkPolicy", "metadata.labels", "spec.podSelector"),
  ],
  database: [...webServiceFields.database.filter(ofCanary), ...of("NetworkPolicy", "spec.egress")],
  databaseTo: of("NetworkPolicy", "spec.egress"),
  datadogAgentTo: of("NetworkPolicy", "spec.egress"),
  dnsTo: of("NetworkPolicy", "spec.egress"),
  egressTo: of("NetworkPolicy", "spec.egress"),
  namespace: [
    ...webServiceFields.namespace.filter(ofCanary),
    ...of("NetworkPolicy", "metadata.namespace"),
  ],
  "overrides.networkPolicySpec": of("NetworkPolicy", "spec"),
  serviceAccountName: of("Deployment", `${webPod}.serviceAccountName`),
};
