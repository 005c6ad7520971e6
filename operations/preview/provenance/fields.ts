import { type Field, type FieldsOfArgs, all, identityLabels, of, under } from "./field-paths";
import { steps } from "../changes/paths";
import { commandTemplateFields, scheduledJobFields } from "./fields-of-scheduled-job";
import { canaryFields, webServiceFields } from "./fields-of-web-service";

export type { Field, FieldsOfArgs } from "./field-paths";

/**
 * The map in this file contains, for each arg of a component, the fields that this arg sets. With
 * this map, the preview finds the arg that most likely caused a difference. Tests compare the map
 * with the objects that the components create.
 */

/** Type tokens of the components of this project. */
export type ComponentType =
  | "services:image:ContainerImage"
  | "services:k8s:Canary"
  | "services:k8s:CommandTemplate"
  | "services:k8s:Postgres"
  | "services:k8s:ReviewNamespace"
  | "services:k8s:ScheduledJob"
  | "services:k8s:StackNamespace"
  | "services:k8s:WebService";

const databaseKinds = ["Secret", "Service", "StatefulSet"];
const databasePod = "spec.template.spec";

const postgres = {
  databaseName: of(
    "StatefulSet",
    `${databasePod}.containers[*].env[name=POSTGRES_DB]`,
    `${databasePod}.containers[*].readinessProbe`,
  ),
  identity: [
    ...all(databaseKinds, ...identityLabels),
    ...of("Service", "spec.selector"),
    ...of("StatefulSet", "spec.selector", "spec.volumeClaimTemplates[*].metadata.labels"),
    ...of("StatefulSet", ...under(["spec.template"], ...identityLabels)),
  ],
  imageRef: of("StatefulSet", `${databasePod}.containers[*].image`),
  namespace: all(databaseKinds, "metadata.namespace"),
  "overrides.container": of("StatefulSet", `${databasePod}.containers[*]`),
  "overrides.podSpec": of("StatefulSet", databasePod),
  "overrides.serviceSpec": of("Service", "spec"),
  "overrides.statefulSetSpec": of("StatefulSet", "spec"),
  storage: of("StatefulSet", "spec.volumeClaimTemplates[*].spec.resources.requests.storage"),
} as const satisfies FieldsOfArgs;

const namespace = {
  identity: of("Namespace", ...identityLabels),
  ingressPreset: of("Namespace", 'metadata.labels["elbv2.k8s.aws/pod-readiness-gate-inject"]'),
  namespace: of("Namespace", "metadata.name"),
  // These args set resource options, not fields.
  protect: [],
  retain: [],
} as const satisfies FieldsOfArgs;

const stackNamespace = {
  ...namespace,
  annotations: of("Namespace", "metadata.annotations"),
} as const satisfies FieldsOfArgs;

const guardrailKinds = ["LimitRange", "NetworkPolicy", "ResourceQuota"];

const reviewNamespace = {
  ...namespace,
  branch: [...of("Namespace", "metadata.annotations"), ...of("RoleBinding", "", "subjects")],
  datadogAgentTo: of("NetworkPolicy", "", "spec.egress"),
  // This arg sets no field. The component checks that the quota is large enough for these demands.
  demands: [],
  dnsTo: of("NetworkPolicy", "spec.egress"),
  egressTo: of("NetworkPolicy", "", "spec.egress"),
  identity: [
    ...namespace.identity,
    ...all([...guardrailKinds, "RoleBinding"], ...identityLabels),
    ...of("NetworkPolicy", "spec.podSelector"),
    ...of("NetworkPolicy", "spec.egress[*].to[*].podSelector"),
    ...of("NetworkPolicy", "spec.ingress[*].from[*].podSelector"),
  ],
  ingressFrom: of("NetworkPolicy", "", "spec.ingress"),
  ingressPreset: [...namespace.ingressPreset, ...of("NetworkPolicy", "spec.ingress[*].ports")],
  managementPort: of("NetworkPolicy", "spec.ingress[*].ports"),
  namespace: [
    ...namespace.namespace,
    ...all([...guardrailKinds, "RoleBinding"], "metadata.namespace"),
  ],
  "overrides.limitRangeSpec": of("LimitRange", "spec"),
  "overrides.networkPolicySpecs": of("NetworkPolicy", "spec"),
  "overrides.resourceQuotaSpec": of("ResourceQuota", "spec"),
  quota: of("ResourceQuota", "spec.hard"),
  webPort: of("NetworkPolicy", "spec.ingress[*].ports"),
} as const satisfies FieldsOfArgs;

const containerImage = {
  baseImageRef: of("Image", "context.named.base.location", "tags"),
  builder: of("Image", "builder"),
  platforms: of("Image", "platforms", "tags"),
  repository: of("Image", "tags"),
  root: of("Image", "context.location", "dockerfile.location", "tags"),
} as const satisfies FieldsOfArgs;

/** The fields that each arg of each component sets. */
export const fields: Readonly<Record<ComponentType, FieldsOfArgs>> = {
  "services:image:ContainerImage": containerImage,
  "services:k8s:Canary": canaryFields,
  "services:k8s:CommandTemplate": commandTemplateFields,
  "services:k8s:Postgres": postgres,
  "services:k8s:ReviewNamespace": reviewNamespace,
  "services:k8s:ScheduledJob": scheduledJobFields,
  "services:k8s:StackNamespace": stackNamespace,
  "services:k8s:WebService": webServiceFields,
};

/** Returns the names of the args that the map `fields` contains for a component. */
export function knownArgs(type: ComponentType): ReadonlySet<string> {
  return new Set(Object.keys(fields[type]).map((arg) => arg.split(".")[0] ?? ""));
}

function meets(pattern: string, step: string): boolean {
  if (pattern === step) return true;
  if (!pattern.startsWith("[") || !step.startsWith("[")) return false;
  return pattern === "[*]" || /^\[(?:\d+|\*)\]$/.test(step);
}

/**
 * If `path` is this field or a field below this field, returns the number of steps in the field's
 * path, without `[*]`. Otherwise returns -1. A larger number means a more specific field.
 */
function depth(field: Field, kind: string, path: readonly string[]): number {
  const pattern = steps(field.path);
  const covers =
    field.kind === kind &&
    (pattern.length > 0 || path.length === 0) &&
    pattern.length <= path.length &&
    pattern.every((step, index) => meets(step, path[index] ?? ""));
  return covers ? pattern.filter((step) => step !== "[*]").length : -1;
}

/**
 * Returns the args that may set the field at a path, the most specific first. For an empty path,
 * returns the args that create or remove the object. In the path, a list element can have an index,
 * as in Pulumi's own diff, or a name, such as `env[name=PORT]`. With a name, the result is more
 * exact, because an index does not show which arg added the element.
 */
export function argsFor(
  type: ComponentType,
  kind: string,
  path: string,
  map = fields,
): readonly string[] {
  const wanted = steps(path);
  return Object.entries<readonly Field[]>(map[type])
    .map(([arg, its]) => ({ arg, depth: Math.max(-1, ...its.map((f) => depth(f, kind, wanted))) }))
    .filter((found) => found.depth >= 0)
    .sort((a, b) => b.depth - a.depth || (a.arg < b.arg ? -1 : 1))
    .map(({ arg }) => arg);
}
