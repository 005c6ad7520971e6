import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  type Database,
  type EnvVar,
  databaseDirectory,
  databaseEnv,
  databaseIssues,
  databaseMounts,
  databaseVolumeName,
  databaseVolumes,
} from "./database";
import {
  datadogCopyCommand,
  datadogDirectory,
  datadogJavaOptions,
  datadogMounts,
  datadogName,
} from "./datadog";
import { pod } from "../conventions/defaults";
import { type Checked, check, imageRef as checkImageRef } from "../conventions/validation";
import { type Identity, type Release, releaseVersion } from "../conventions/labels";
import type { EnvValue, ExtraContainer, PodArgs, SecretKey } from "./args";
import { isSecretKey, podIssues } from "./validate";
import { configVolumeName, extraMounts, extraVolumes } from "./files";
import { type Requests, amountIssues, cores, memoryBytes } from "../conventions/quantities";

type Container = k8s.types.input.core.v1.Container;
type PodSpec = k8s.types.input.core.v1.PodSpec;

/** What every pod of the service knows about itself and its surroundings. */
export interface Workload extends PodArgs {
  readonly appEndpoint?: string | undefined;
  readonly database?: Database | undefined;
  readonly identity: Identity;
  readonly imageRef: pulumi.Input<string>;
  /** Flags of the JVM beside those of every pod. */
  readonly javaOptions?: readonly string[];
  readonly release: Release;
  readonly requests: Requests;
}

/** Rules of the API server's Pod Security level `restricted`, for a pod. */
export const podSecurityContext = {
  fsGroup: pod.userId,
  // Without it the kubelet walks through every file of a volume at each start.
  fsGroupChangePolicy: "OnRootMismatch",
  runAsGroup: pod.userId,
  runAsNonRoot: true,
  runAsUser: pod.userId,
  seccompProfile: { type: "RuntimeDefault" },
} as const satisfies k8s.types.input.core.v1.PodSecurityContext;

/** The same level's rules for a container, and a root file system nobody writes to. */
export const containerSecurityContext: k8s.types.input.core.v1.SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
};

/** Requests of CPU and memory, and by default a limit of memory only: one of CPU throttles an idle node. */
function resources(workload: Workload): k8s.types.input.core.v1.ResourceRequirements {
  const { cpuLimit, requests } = workload;
  const { memoryLimit = requests.memory } = workload;
  return {
    limits: { ...(cpuLimit === undefined ? {} : { cpu: cpuLimit }), memory: memoryLimit },
    requests: { ...requests },
  };
}

/** JVM flags: the heap from the container's memory, processors from its CPU limit or request. */
function javaToolOptions({ cpuLimit, requests }: Workload): string {
  const most = cores(cpuLimit ?? requests.cpu) ?? 0;
  const processors = Math.max(pod.minActiveProcessors, Math.ceil(most));
  return `-XX:MaxRAMPercentage=${String(pod.maxRamPercentage)} -XX:ActiveProcessorCount=${String(processors)}`;
}

/** Whether a variable's value is a reference; an output is a value that comes later. */
function isSecretKeyReference(value: EnvValue): value is SecretKey {
  return (
    typeof value === "object" && !pulumi.Output.isInstance(value) && !(value instanceof Promise)
  );
}

function envVar(name: string, value: EnvValue): EnvVar {
  if (!isSecretKeyReference(value)) return { name, value };
  const { key, secretName } = value;
  return { name, valueFrom: { secretKeyRef: { key, name: secretName } } };
}

/** Environment that web pods, migrations and jobs share, sorted so that order never restarts a pod. */
export function workloadEnv(workload: Workload, own: readonly EnvVar[]): EnvVar[] {
  const { appEndpoint, database, env = {}, identity, javaOptions = [], release } = workload;
  const jvm = [javaToolOptions(workload), ...datadogJavaOptions(workload), ...javaOptions];
  const all: EnvVar[] = [
    ...(appEndpoint === undefined ? [] : [{ name: "APP_ENDPOINT", value: appEndpoint }]),
    ...databaseEnv(database),
    // The agent runs on each node; a pod reaches it by its own node's address.
    { name: "DD_AGENT_HOST", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
    { name: "DD_ENV", value: identity.environment },
    { name: "DD_SERVICE", value: identity.service },
    { name: "DD_VERSION", value: releaseVersion(release) },
    { name: "JAVA_TOOL_OPTIONS", value: jvm.join(" ") },
    ...own,
    ...Object.entries(env).map(([name, value]) => envVar(name, value)),
  ];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** One container of the service's image, as every pod of the service runs it. */
export function workloadContainer(
  workload: Workload,
  name: string,
  args: readonly string[],
  own: readonly EnvVar[] = [],
): Container {
  return {
    args: [...args],
    env: workloadEnv(workload, own),
    image: workload.imageRef,
    // The image is named by digest: what a node has is what the registry has.
    imagePullPolicy: "IfNotPresent",
    name,
    resources: resources(workload),
    securityContext: containerSecurityContext,
    volumeMounts: [
      { mountPath: "/tmp", name: "tmp" },
      ...databaseMounts(workload.database),
      ...datadogMounts(workload),
      ...extraMounts(workload),
    ],
  };
}

/** A container of the caller's, which Pod Security `restricted` admits unless it says otherwise. */
function extraContainer(container: ExtraContainer): Container {
  return { securityContext: containerSecurityContext, ...container };
}

/** What copies Datadog's agent to where the service's own containers load it. */
function datadogContainer(workload: Workload): Container[] {
  const { datadogAgent } = workload;
  if (datadogAgent === undefined) return [];
  return [
    {
      command: [...datadogCopyCommand],
      image: datadogAgent.imageRef,
      imagePullPolicy: "IfNotPresent",
      name: datadogName,
      // It is over before the service starts, which needs at least as much.
      resources: resources(workload),
      securityContext: containerSecurityContext,
      volumeMounts: datadogMounts(workload),
    },
  ];
}

/** Containers before the service's own: sidecars, the caller's, and then the component's. */
export function workloadInitContainers(
  workload: Workload,
  own: readonly Container[],
): Pick<PodSpec, "initContainers"> {
  const { initContainers = [], sidecars = [] } = workload;
  const all = [
    // An init container that goes on is a sidecar: it is there for the others, and ends after them.
    ...sidecars.map((sidecar) => ({ ...extraContainer(sidecar), restartPolicy: "Always" })),
    ...initContainers.map(extraContainer),
    ...datadogContainer(workload),
    ...own,
  ];
  return all.length === 0 ? {} : { initContainers: all };
}

/** What every pod of the service has beside its containers. */
export function workloadPodSpec(
  workload: Workload,
  configMapName: pulumi.Input<string> | undefined,
): Omit<PodSpec, "containers"> {
  const { nodeSelector, tolerations } = workload;
  return {
    automountServiceAccountToken: false,
    // Variables for each Service of the namespace: they change pods for reasons of others.
    enableServiceLinks: false,
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    securityContext: podSecurityContext,
    ...(tolerations === undefined ? {} : { tolerations: [...tolerations] }),
    volumes: [
      { emptyDir: { sizeLimit: pod.tmpSizeLimit }, name: "tmp" },
      ...databaseVolumes(workload.database),
      ...(workload.datadogAgent === undefined
        ? []
        : [{ emptyDir: { sizeLimit: pod.datadogAgentSizeLimit }, name: datadogName }]),
      ...extraVolumes(workload, configMapName),
    ],
  };
}

/** What the components set, and what would contradict it; `DATABASE_POOL_SIZE` is the caller's. */
const reserved =
  /^(?:APP_ENDPOINT|PORT|DRAIN_SECONDS|JAVA_TOOL_OPTIONS|DATABASE_(?:HOST|NAME|PORT|(?:PASSWORD|USERNAME)(?:_FILE)?)|DD_(?:AGENT_HOST|ENV|SERVICE|VERSION))$/;

/** Issues of what all pods of the service share; `containers` are the component's own. */
export function workloadIssues(
  workload: Workload,
  containers: readonly string[],
): readonly Checked[] {
  const { configFiles, cpuLimit, database, datadogAgent, env = {}, imageRef } = workload;
  const { memoryLimit, requests } = workload;
  return [
    checkImageRef("imageRef", imageRef),
    ...databaseIssues(database),
    ...amountIssues("requests", requests, { cpu: '"0.5" or "250m"', memory: "512Mi" }),
    checkImageRef("datadogAgent.imageRef", datadogAgent?.imageRef),
    check(cpuLimit === undefined || (cores(cpuLimit) ?? 0) >= (cores(requests.cpu) ?? 0), {
      arg: "cpuLimit",
      got: cpuLimit,
      rule: "be a CPU quantity, not below requests.cpu",
      fix: "raise it, or leave it out",
    }),
    check(
      memoryLimit === undefined ||
        (memoryBytes(memoryLimit) ?? 0) >= (memoryBytes(requests.memory) ?? 0),
      {
        arg: "memoryLimit",
        got: memoryLimit,
        rule: "be a memory quantity in Ki, Mi or Gi, not below requests.memory",
        fix: "raise it, or leave it out",
      },
    ),
    ...Object.keys(env)
      .filter((name) => reserved.test(name) || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      .map((name) => ({
        arg: "env",
        got: name,
        rule: "hold names of variables that the component does not set itself",
        fix: "use the arg that sets it, or the `container` override",
      })),
    ...Object.values(env)
      .filter(isSecretKeyReference)
      .filter(({ key }) => !isSecretKey(key))
      .map(({ key }) => ({
        arg: "env",
        got: key,
        rule: "name keys of a Secret",
        fix: "use letters, digits, dots, hyphens and underscores",
      })),
    ...podIssues(workload, {
      containers: [...containers, ...(datadogAgent === undefined ? [] : [datadogName])],
      paths: [
        "/tmp",
        ...(datadogAgent === undefined ? [] : [datadogDirectory]),
        ...(database === undefined ? [] : [databaseDirectory]),
      ],
      volumes: [
        "tmp",
        ...(datadogAgent === undefined ? [] : [datadogName]),
        ...(configFiles === undefined ? [] : [configVolumeName]),
        ...(database === undefined ? [] : [databaseVolumeName]),
      ],
    }),
  ];
}
