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
import { diagnostics } from "../conventions/one-off/diagnostics";
import { type Checked, check, each, imageRef as checkImageRef } from "../conventions/validation";
import { type Identity, type Release, releaseVersion } from "../conventions/labels";
import type { EnvValue, ExtraContainer, PodArgs, SecretKey } from "./args";
import { podIssues, secretKeyIssues } from "./validate";
import { configVolumeName, extraMounts, extraVolumes } from "./files";
import { type Requests, amountIssues, cores, memoryBytes } from "../conventions/quantities";

type Container = k8s.types.input.core.v1.Container;
type PodSpec = k8s.types.input.core.v1.PodSpec;

/** Args of every pod that runs the service's image, with all defaults. */
export interface Workload extends PodArgs {
  readonly appEndpoint?: string | undefined;
  readonly database?: Database | undefined;
  readonly identity: Identity;
  readonly imageRef: pulumi.Input<string>;
  readonly release: Release;
  readonly requests: Requests;
}

/** Security context of every pod, as Pod Security level `restricted` requires. */
export const podSecurityContext = {
  fsGroup: pod.userId,
  // With this policy, the kubelet changes the owner of a volume's files only if the root directory
  // of the volume has a wrong owner.
  fsGroupChangePolicy: "OnRootMismatch",
  runAsGroup: pod.userId,
  runAsNonRoot: true,
  runAsUser: pod.userId,
  seccompProfile: { type: "RuntimeDefault" },
} as const satisfies k8s.types.input.core.v1.PodSecurityContext;

/**
 * Default security context of every container, as level `restricted` requires, with a read-only
 * root file system.
 */
export const containerSecurityContext: k8s.types.input.core.v1.SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
};

/**
 * Returns the requests and limits of a container. By default, there is only a memory limit, because
 * a CPU limit can slow a container down, even on an idle node.
 */
function resources(workload: Workload): k8s.types.input.core.v1.ResourceRequirements {
  const { cpuLimit, requests } = workload;
  const { memoryLimit = requests.memory } = workload;
  return {
    limits: { ...(cpuLimit === undefined ? {} : { cpu: cpuLimit }), memory: memoryLimit },
    requests: { ...requests },
  };
}

/**
 * Returns JVM flags that set the maximum heap size and the number of processors. The heap size is a
 * percentage of the container's memory limit. The number of processors is the container's CPU
 * limit, rounded up, and at least `pod.minActiveProcessors`. Without a CPU limit, the function uses
 * the CPU request.
 */
function javaToolOptions({ cpuLimit, requests }: Workload): string {
  const most = cores(cpuLimit ?? requests.cpu) ?? 0;
  const processors = Math.max(pod.minActiveProcessors, Math.ceil(most));
  return `-XX:MaxRAMPercentage=${String(pod.maxRamPercentage)} -XX:ActiveProcessorCount=${String(processors)}`;
}

/** Whether a variable's value is a reference to a Secret, and not a text or an output. */
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

/**
 * Returns the environment variables of a container that runs the service or one of the service's
 * commands. The function sorts the variables by name, so that a different order in the args
 * restarts no pod.
 */
function workloadEnv(workload: Workload, own: readonly EnvVar[]): EnvVar[] {
  const { appEndpoint, database, env = {}, identity, javaOptions = [], release } = workload;
  const jvm = [javaToolOptions(workload), ...datadogJavaOptions(workload), ...javaOptions];
  const all: EnvVar[] = [
    ...(appEndpoint === undefined ? [] : [{ name: "APP_ENDPOINT", value: appEndpoint }]),
    ...databaseEnv(database),
    // The Datadog Agent runs on each node. A pod connects to the agent on its own node.
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

/** Returns a container that runs one command of the service and ends. */
export function commandContainer(
  workload: Workload,
  name: string,
  args: readonly string[],
): Container {
  const javaOptions = [pod.quickStart, ...(workload.javaOptions ?? [])];
  return workloadContainer({ ...workload, javaOptions }, name, args);
}

/** Returns a container of the service's image. */
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
    // The digest identifies the content, so a node that has the image does not have to pull the
    // image again.
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

/**
 * Returns the container for an entry of `initContainers` or `sidecars`. A container without a
 * security context gets a security context that Pod Security `restricted` accepts.
 */
function extraContainer(container: ExtraContainer): Container {
  return { securityContext: containerSecurityContext, ...container };
}

/**
 * Returns the init container that copies Datadog's tracer. Without a tracer, returns an empty list.
 */
function datadogContainer(workload: Workload): Container[] {
  const { datadogAgent } = workload;
  if (datadogAgent === undefined) return [];
  return [
    {
      command: [...datadogCopyCommand],
      image: datadogAgent.imageRef,
      imagePullPolicy: "IfNotPresent",
      name: datadogName,
      // The init container ends before the service starts, and has the same requests as the
      // service's container. So the init container does not increase the requests of the pod.
      resources: resources(workload),
      securityContext: containerSecurityContext,
      volumeMounts: datadogMounts(workload),
    },
  ];
}

/**
 * Returns the init containers in this order: sidecars, the init containers from the args, the
 * container that copies Datadog's tracer, and the containers in `own`.
 */
export function workloadInitContainers(
  workload: Workload,
  own: readonly Container[],
): Pick<PodSpec, "initContainers"> {
  const { initContainers = [], sidecars = [] } = workload;
  const all = [
    // In Kubernetes, an init container with this restart policy is a sidecar.
    ...sidecars.map((sidecar) => ({ ...extraContainer(sidecar), restartPolicy: "Always" })),
    ...initContainers.map(extraContainer),
    ...datadogContainer(workload),
    ...own,
  ];
  return all.length === 0 ? {} : { initContainers: all };
}

/** Returns the pod spec of a workload, without the containers and the init containers. */
export function workloadPodSpec(
  workload: Workload,
  configMapName: pulumi.Input<string> | undefined,
): Omit<PodSpec, "containers"> {
  const { nodeSelector, tolerations } = workload;
  return {
    automountServiceAccountToken: false,
    // By default, Kubernetes would add environment variables for each Service of the namespace. The
    // program in the container does not use these variables.
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

/** Environment variables that the components set, or that conflict with these variables. */
const reserved =
  /^(?:APP_ENDPOINT|COMMAND_OUTPUT_DIRECTORY|DIAGNOSTICS_\w+|PORT|MANAGEMENT_PORT|DRAIN_SECONDS|JAVA_TOOL_OPTIONS|DATABASE_(?:HOST|NAME|PORT|SSLMODE|SSLROOTCERT|(?:PASSWORD|USERNAME)(?:_FILE)?)|DD_(?:AGENT_HOST|ENV|SERVICE|VERSION))$/;

/**
 * Checks the args that all workloads have, and returns the issues. `containers` are the names of
 * the component's own containers.
 */
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
    ...each(
      Object.keys(env).map((got) => ({ arg: "env", got })),
      (name) => !reserved.test(name) && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name),
      {
        rule: "contain only legal names that the component does not set itself",
        fix: "write letters, digits and _; for a variable that the component sets, use its arg or the `container` override",
      },
    ),
    ...secretKeyIssues(
      Object.entries(env).flatMap(([name, value]) =>
        isSecretKeyReference(value) ? [{ arg: `env.${name}.key`, got: value.key }] : [],
      ),
    ),
    ...podIssues(workload, {
      containers: [...containers, ...(datadogAgent === undefined ? [] : [datadogName])],
      paths: [
        "/tmp",
        diagnostics.directory,
        ...(datadogAgent === undefined ? [] : [datadogDirectory]),
        ...(database === undefined ? [] : [databaseDirectory]),
      ],
      volumes: [
        "tmp",
        diagnostics.volume,
        ...(datadogAgent === undefined ? [] : [datadogName]),
        ...(configFiles === undefined ? [] : [configVolumeName]),
        ...(database === undefined ? [] : [databaseVolumeName]),
      ],
    }),
  ];
}
