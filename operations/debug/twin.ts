import { httpPortName, migrationName, seedName } from "../../components/conventions/defaults";
import { type Identity, type Labels, selector } from "../../components/conventions/labels";
import { copyLabels } from "../../components/conventions/one-off/copies";
import { debuggerPort, jdwpOption } from "../../components/conventions/one-off/debugger";
import { UserError } from "../../lib/errors";

interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}

interface Container {
  readonly env?: readonly EnvVar[];
  readonly image: string;
  readonly name: string;
  readonly ports?: readonly { readonly containerPort: number; readonly name?: string }[];
  readonly restartPolicy?: string;
}

/** The service's Deployment: only the fields that a twin needs. */
export interface ServiceDeployment {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels?: Labels };
      readonly spec: {
        readonly containers: readonly Container[];
        readonly initContainers?: readonly Container[];
      };
    };
  };
}

/** The choices of a person who starts a twin. */
export interface TwinRequest {
  readonly deadlineSeconds: number;
  readonly reason: string | undefined;
  /** Whether the JVM waits for a debugger before it runs the main class. */
  readonly suspend: boolean;
  /** The person or the CircleCI job that starts the twin. */
  readonly who: string;
}

/** Annotations of a twin: who started it, and why. */
export const twinAnnotations = { reason: "debug/reason", who: "debug/by" } as const;

/** Name of the environment variable with JVM options. */
const options = "JAVA_TOOL_OPTIONS";
/**
 * Seconds from the deletion of a twin until the kubelet kills the twin's JVM. A JVM that is stopped
 * at a breakpoint cannot shut down.
 */
export const graceSeconds = 2;
/**
 * Seconds for which Kubernetes keeps a twin after its end, so that a person can read the twin's
 * last log lines.
 */
const keepSeconds = 30;

/**
 * Returns the labels of a twin. A twin has the component label of a job, for two reasons. No
 * Service, PodDisruptionBudget or ReplicaSet selects a twin, because these objects select the
 * component `web`. In a review stack, the NetworkPolicies allow the pods of jobs to connect to the
 * same destinations as the pods of the service.
 */
export function twinLabels(identity: Identity, deployment: string): Labels {
  return { ...selector(identity, "job"), [copyLabels.twin]: deployment };
}

/**
 * Returns the container that runs the service: the container with the port `http`. If no port has
 * this name, returns the first container.
 */
export function serviceContainer({ spec }: ServiceDeployment): Container {
  const { containers } = spec.template.spec;
  const [first] = containers;
  const found = containers.find(({ ports = [] }) =>
    ports.some(({ name }) => name === httpPortName),
  );
  const container = found ?? first;
  if (container === undefined) throw new UserError("The Deployment has no container.");
  return container;
}

/** Returns the port at which the twin answers requests. Undefined if no port is named `http`. */
export const httpPortOf = ({ ports = [] }: Container): number | undefined =>
  ports.find(({ name }) => name === httpPortName)?.containerPort;

/**
 * Returns the Job of a twin: a Job with one pod. The pod is a copy of a pod of the service.
 *
 * The copy comes from the Deployment's template and not from a pod, because the cluster adds fields
 * to a pod, such as the node and default values. The copy must not have these fields. With a Job,
 * Kubernetes ends the twin at the deadline, and deletes the Job and the pod shortly after.
 * Kubernetes would not delete a pod without a Job.
 *
 * @throws UserError if the variable JAVA_TOOL_OPTIONS gets its value from another object
 */
export function twinOf(
  name: string,
  identity: Identity,
  deployment: ServiceDeployment,
  { deadlineSeconds, reason, suspend, who }: TwinRequest,
): object {
  const { spec } = deployment.spec.template;
  const debugged = serviceContainer(deployment);
  const containers = spec.containers.map((container) =>
    container === debugged ? withDebugger(alone(container), suspend) : alone(container),
  );
  // Only a rollout may migrate or seed the database, so the twin has no containers for these tasks.
  const initContainers = (spec.initContainers ?? [])
    .filter(({ name }) => name !== migrationName && name !== seedName)
    .map(alone);
  const labels = twinLabels(identity, deployment.metadata.name);
  const annotations = {
    ...(reason === undefined ? {} : { [twinAnnotations.reason]: reason }),
    [twinAnnotations.who]: who,
  };
  // These rules spread the service's pods over the nodes. The twin is only one pod, so it does not
  // need these rules.
  const without = { affinity: undefined, topologySpreadConstraints: undefined };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { annotations, labels, name },
    spec: {
      activeDeadlineSeconds: deadlineSeconds,
      backoffLimit: 0,
      template: {
        metadata: { annotations, labels },
        spec: {
          ...spec,
          ...without,
          containers,
          initContainers: initContainers.length === 0 ? undefined : initContainers,
          restartPolicy: "Never",
          terminationGracePeriodSeconds: graceSeconds,
        },
      },
      ttlSecondsAfterFinished: keepSeconds,
    },
  };
}

/**
 * Returns a container without probes and without lifecycle hooks. With probes, Kubernetes would
 * restart a JVM that is stopped at a breakpoint. The hook `preStop` waits for load balancers, but
 * no load balancer sends requests to the twin.
 */
function alone(container: Container): Container {
  const without = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];
  const fields = Object.entries(container).filter(([field]) => !without.includes(field));
  return Object.fromEntries(fields) as unknown as Container;
}

function withDebugger(container: Container, suspend: boolean): Container {
  const { env = [] } = container;
  const given = env.find(({ name }) => name === options);
  if (given?.valueFrom !== undefined) {
    throw new UserError(
      `Container ${container.name} gets ${options} from another object, so npm run debug cannot add the debugger. Nothing was changed.`,
    );
  }
  // A JVM with two `jdwp` options does not start. The arg `debugPort` may already have added this
  // option.
  const words = (given?.value ?? "").split(/\s+/).filter((word) => !/^$|jdwp/.test(word));
  const value = [...words, jdwpOption(debuggerPort, suspend)].join(" ");
  const changed = { name: options, value };
  return {
    ...container,
    env:
      given === undefined ? [...env, changed] : env.map((one) => (one === given ? changed : one)),
  };
}
