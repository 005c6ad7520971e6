import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { outputServer } from "../../config/service";
import { scheduledJob as defaults } from "../conventions/defaults";
import { assertValid } from "../conventions/expected-error";
import { labels, releaseLabels } from "../conventions/labels";
import { objectMetadata } from "../conventions/metadata";
import { commandPod } from "../conventions/one-off/command-pod";
import { scheduledJobsAnnotation } from "../conventions/one-off/copies";
import type { Plain } from "../conventions/override";
import { type Requests, sumOf } from "../conventions/quantities";
import type { PodRequirement } from "../conventions/quota";
import { dnsLabel } from "../conventions/validation";
import { withDefaults } from "../conventions/with-defaults";
import { containerSecurityContext, workloadIssues } from "../pods/workload";
import type { ScheduledJobArgs } from "./args";
import { jobPodTemplate } from "./job-pod";

/**
 * Args of a CommandTemplate. Except for `scheduledJobs`, these args have the same meaning as the
 * args of a scheduled job. The default of `serviceAccountName` is different.
 */
export interface CommandTemplateArgs extends Pick<
  ScheduledJobArgs,
  "appEndpoint" | "database" | "identity" | "imageRef" | "namespace" | "release" | "requests"
> {
  /**
   * Names of the stack's scheduled jobs. An annotation of the PodTemplate contains these names.
   * Developers cannot start a run of a scheduled job that is not in the list.
   *
   * @default []
   */
  readonly scheduledJobs?: readonly string[];

  /**
   * Name of the pods' ServiceAccount, for permissions outside the cluster. If you do not set the
   * ServiceAccount of the service, a command may not have all permissions of the service.
   *
   * @group Pod
   * @default - the ServiceAccount `default` of the namespace. The pods get no token of the
   * Kubernetes API
   * @see https://kubernetes.io/docs/concepts/security/service-accounts/
   */
  readonly serviceAccountName?: pulumi.Input<string> | undefined;
}

/**
 * A PodTemplate with the component's name. `npm run run` creates a Job with the pod of this
 * PodTemplate, to run one command of the service. The command writes its output into a file, and
 * not into the log of the pod. A second container sends the output to `npm run run`.
 *
 * @throws pulumi.ResourceError with all issues of the args, before the component creates a child
 * resource.
 */
export class CommandTemplate extends pulumi.ComponentResource {
  readonly nodes: { readonly podTemplate: k8s.core.v1.PodTemplate };

  /**
   * Returns the number of pods of one command (one), and the requests of the pod. The check of the
   * quota uses these values.
   */
  static peakPods(name: string, args: Pick<CommandTemplateArgs, "requests">): PodRequirement {
    const { requests = defaults.requests } = args;
    return { name, pods: 1, requests: sumOf([requests, commandPod.requests]) };
  }

  constructor(name: string, args: CommandTemplateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:CommandTemplate", name, args, opts);
    const { command, output } = commandPod;
    const workload = withDefaults(args, { requests: defaults.requests });
    assertValid(this, "CommandTemplate", name, [
      dnsLabel("name", name),
      ...workloadIssues(workload, [command, output]),
    ]);
    const podTemplate = createPodTemplate(this, name, workload);
    this.nodes = { podTemplate };
    this.registerOutputs({});
  }
}

type Workload = CommandTemplateArgs & { readonly requests: Requests };

/** Returns the container that sends the output to `npm run run`. */
function outputContainer({ imageRef }: Workload): k8s.types.input.core.v1.Container {
  const { directory, keepSeconds, output, port, requests } = commandPod;
  return {
    command: [
      "java",
      ...["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"],
      ...["-Xmx16m", "-XX:MaxMetaspaceSize=24m", "-XX:ReservedCodeCacheSize=8m"],
      ...["-cp", outputServer.jar, outputServer.mainClass],
      ...[directory, String(port), String(keepSeconds)],
    ],
    image: imageRef,
    imagePullPolicy: "IfNotPresent",
    name: output,
    resources: { limits: { memory: requests.memory }, requests: { ...requests } },
    securityContext: containerSecurityContext,
    volumeMounts: [{ mountPath: directory, name: output, readOnly: true }],
  };
}

function createPodTemplate(
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
): k8s.core.v1.PodTemplate {
  const { args, command, directory, directoryVariable, output, sizeLimit } = commandPod;
  const { identity, namespace, release, scheduledJobs = [], serviceAccountName } = workload;
  const pod = {
    ...workload,
    args,
    env: { [directoryVariable]: directory },
    overrides: {
      podSpec: (spec: Plain<k8s.types.input.core.v1.PodSpec>) => ({
        ...spec,
        containers: [...spec.containers, outputContainer(workload)],
      }),
    },
    volumeMounts: [{ mountPath: directory, name: output }],
    volumes: [{ emptyDir: { sizeLimit }, name: output }],
  };
  const all = { ...labels(identity, "job"), ...releaseLabels(identity, release) };
  const known =
    scheduledJobs.length === 0
      ? {}
      : // The names are sorted, so that another order of entries in jobs.ts changes no object.
        { [scheduledJobsAnnotation]: [...scheduledJobs].sort().join(",") };
  return new k8s.core.v1.PodTemplate(
    name,
    {
      metadata: { ...objectMetadata({}, all, known), name, namespace },
      template: jobPodTemplate(command, pod, { serviceAccountName }),
    },
    { parent },
  );
}
