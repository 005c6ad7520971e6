import { people } from "../../components/conventions/ci-roles";
import { commandPod } from "../../components/conventions/one-off/command-pod";
import { copyLabels, scheduledJobsAnnotation } from "../../components/conventions/one-off/copies";
import { service } from "../../config/service";
import type { Policy } from "./policy";
import { cel } from "./cel";

/**
 * Policies for the Jobs of developers. A developer's Job has a label that names an object of the
 * stack: the PodTemplate of one-off commands, a CronJob or the Deployment. For each kind of object,
 * a policy compares the pod of the Job with this object. The developer chooses the label. With any
 * of these labels, the pod must be a copy of a pod that the stack has declared.
 *
 * If the object does not exist, Kubernetes refuses the Job before Kubernetes evaluates `only`. So
 * each policy that needs an object selects Jobs by the label. Otherwise, Kubernetes would also
 * refuse Jobs that other users create.
 */
const byDeveloper = {
  "by-a-developer": `${cel(people.developers.group)} in request.userInfo.groups`,
};
const { command, scheduled, twin } = copyLabels;

/** Longest deadline of a Job of `npm run run` or `npm run debug`, in seconds. */
const longestSeconds = 24 * 3600;

/** Label of the namespaces and the CronJobs of the service, in every stack. */
const ofService = { "app.kubernetes.io/part-of": service };

const created = [
  { apiGroup: "batch", operations: ["CREATE"] as const, resources: ["jobs"] },
] as const;

/** Labels that Kubernetes itself adds to the pods of a Job. */
const addedByKubernetes = [
  "batch.kubernetes.io/controller-uid",
  "batch.kubernetes.io/job-name",
  "controller-uid",
  "job-name",
];

/**
 * Returns a CEL expression that is true if map `other` has each key of map `one`, with the same
 * value. The expression ignores the keys in `except`.
 */
function within(one: string, other: string, except: readonly string[] = []): string {
  const equal = `k in ${other} && ${one}[k] == ${other}[k]`;
  return `${one}.all(k, ${except.length === 0 ? equal : `k in ${cel(except)} || (${equal})`})`;
}

/**
 * Returns a CEL expression that is true if map `one` has each key of map `other`. The expression
 * ignores the keys in `except`.
 */
function hasKeys(one: string, other: string, except: readonly string[] = []): string {
  const free = except.length === 0 ? "" : `k in ${cel(except)} || `;
  return `${other}.all(k, ${free}k in ${one})`;
}

/**
 * Returns a CEL expression that is true if two maps are equal. The expression ignores the keys in
 * `except`.
 */
const same = (one: string, other: string, except: readonly string[] = []): string =>
  `${within(one, other, except)} && ${hasKeys(one, other, except)}`;

/**
 * Rule for each new Job of a developer: the Job must run only one pod at a time, and must end when
 * one pod has succeeded. With `manualSelector`, the Job could adopt pods that it has not created.
 */
const runsOnce = {
  expression:
    "object.spec.?parallelism.orValue(1) == 1 && object.spec.?completions.orValue(1) == 1 && !object.spec.?manualSelector.orValue(false)",
  message: "a developer's Job must have parallelism 1, completions 1 and no manualSelector",
};
const endsInTime = {
  expression: `object.spec.?backoffLimit.orValue(6) == 0 && object.spec.?activeDeadlineSeconds.orValue(${String(longestSeconds + 1)}) <= ${String(longestSeconds)}`,
  message:
    "a developer's Job must have a deadline of at most 24 hours, and no retries (backoffLimit 0)",
};

/**
 * Returns the rules for the labels and the annotations of a developer's pods. If the pod had other
 * labels, a Service could send requests to the pod. If the pod had other annotations, the Datadog
 * Agent could run checks.
 */
const metadataOf = (prefix: string, template: string) => [
  {
    expression: `${within("variables.labels", "variables.templateLabels", addedByKubernetes)} && ${hasKeys("variables.labels", "variables.templateLabels")}`,
    message: `the pod must have the labels of ${template}`,
  },
  annotationsOf(prefix, template),
];

const annotationsOf = (prefix: string, template: string) => ({
  expression: `variables.annotations.all(k, k.startsWith(${cel(prefix)}) || (k in variables.templateAnnotations && variables.annotations[k] == variables.templateAnnotations[k]))`,
  message: `the pod may have only the annotations of ${template}, and annotations that begin with ${prefix}`,
});

/**
 * Returns variables for the parts of the Job, and for the parts of the object that the policy
 * compares with the Job. `dyn` turns off CEL's type check, because the policy compares all fields,
 * and not only fields with known names.
 */
const variablesOf = (template: string) => [
  { expression: "dyn(object.spec.template)", name: "own" },
  { expression: `dyn(${template})`, name: "template" },
  { expression: "variables.own.spec", name: "pod" },
  { expression: "variables.template.spec", name: "templatePod" },
  { expression: "variables.own.?metadata.?labels.orValue({})", name: "labels" },
  { expression: "variables.own.?metadata.?annotations.orValue({})", name: "annotations" },
  { expression: "variables.template.?metadata.?labels.orValue({})", name: "templateLabels" },
  {
    expression: "variables.template.?metadata.?annotations.orValue({})",
    name: "templateAnnotations",
  },
];

/**
 * Policy for all Jobs of developers. Each new Job must name one object. The other policies of this
 * file compare the Job's pod with the pod in this object. When a Job exists, a developer can only
 * stop the Job, delete the Job, and delete its pods.
 */
export const developerJobs: Policy = {
  on: [
    { apiGroup: "batch", operations: ["CREATE", "UPDATE", "DELETE"], resources: ["jobs"] },
    { apiGroup: "", operations: ["DELETE"], resources: ["pods"] },
  ],
  only: byDeveloper,
  validations: [
    {
      expression: `request.operation == "UPDATE" || ${cel(Object.values(copyLabels))}.exists_one(k, k in variables.labels)`,
      message:
        "a developer may create and delete only the Jobs of npm run run, npm run jobs and npm run debug, and delete their pods",
    },
    {
      expression: [command, twin]
        .map(
          (k) =>
            `(!(${cel(k)} in variables.labels) || request.operation != "CREATE" || variables.labels[${cel(k)}] == ${cel(service)})`,
        )
        .join(" && "),
      message: `the labels ${command} and ${twin} of a developer's Job must have the value ${service}`,
    },
    {
      expression: `request.operation != "UPDATE" || ${cel(Object.values(copyLabels))}.exists(k, k in variables.labels) || oldObject.metadata.?ownerReferences.orValue([]).exists(o, o.kind == "CronJob")`,
      message:
        "a developer may stop only runs of scheduled jobs, and Jobs that people have created",
    },
    {
      expression: `request.operation != "UPDATE" || (${same("dyn(object.spec)", "dyn(oldObject.spec)", ["activeDeadlineSeconds"])} && object.spec.?activeDeadlineSeconds.orValue(${String(longestSeconds + 1)}) <= oldObject.spec.?activeDeadlineSeconds.orValue(${String(longestSeconds)}) && object.metadata.?labels.orValue({}) == oldObject.metadata.?labels.orValue({}))`,
      message:
        "a developer may only shorten the deadline of a Job, to stop the Job, and may change nothing else",
    },
  ],
  variables: [
    {
      expression: `(request.operation == "DELETE" ? oldObject : object).metadata.?labels.orValue({})`,
      name: "labels",
    },
  ],
};

/**
 * Policy for `npm run run`: in the spec of the pod, only the arguments of the command may differ
 * from the PodTemplate.
 */
export const developerCommands: Policy = {
  inNamespaces: ofService,
  labelled: { key: command, values: [service] },
  on: created,
  only: byDeveloper,
  requires: { apiVersion: "v1", kind: "PodTemplate", name: service },
  validations: [
    runsOnce,
    endsInTime,
    {
      expression: `${same("variables.pod", "variables.templatePod", ["containers"])} && size(variables.pod.containers) == size(variables.templatePod.containers) && variables.pod.containers.all(c, variables.templatePod.containers.exists(t, c.name == t.name && (c == t || (c.name == ${cel(commandPod.command)} && ${same("c", "t", ["args"])}))))`,
      message: `the pod must be the pod of PodTemplate ${service}, except for the arguments of container ${commandPod.command}`,
    },
    ...metadataOf("run/", `PodTemplate ${service}`),
  ],
  variables: variablesOf("params.template"),
};

/**
 * Policy for `npm run jobs -- STACK run JOB`: the label must name a CronJob of the stack.
 * {@link developerScheduledJobs} compares the Job with this CronJob.
 */
export const developerJobNames: Policy = {
  inNamespaces: ofService,
  labelled: { key: scheduled },
  on: created,
  only: byDeveloper,
  requires: { apiVersion: "v1", kind: "PodTemplate", name: service },
  validations: [
    {
      expression: `object.metadata.labels[${cel(scheduled)}] in params.metadata.?annotations[?${cel(scheduledJobsAnnotation)}].orValue("").split(",")`,
      message: `the label ${scheduled} must name a scheduled job of the stack`,
    },
  ],
};

/**
 * Policy for `npm run jobs -- STACK run JOB`: the Job must be the Job that the CronJob in the label
 * would create. Kubernetes evaluates the policy once for each CronJob, and all evaluations must
 * succeed. If a CronJob is not the CronJob in the label, the comparison with this CronJob always
 * succeeds.
 */
export const developerScheduledJobs: Policy = {
  inNamespaces: ofService,
  labelled: { key: scheduled },
  on: created,
  only: byDeveloper,
  requires: { apiVersion: "batch/v1", kind: "CronJob", labels: ofService },
  validations: [
    runsOnce,
    {
      expression: `variables.isOther || (${within("variables.cron", "variables.job", ["template"])})`,
      message:
        "the Job must have all settings of its CronJob, such as the deadline and the retries",
    },
    {
      expression: "variables.isOther || variables.pod == variables.templatePod",
      message: `the pod must be the pod of the CronJob that the label ${scheduled} names`,
    },
    ...metadataOf("run/", "its CronJob").map(({ expression, message }) => ({
      expression: `variables.isOther || (${expression})`,
      message,
    })),
  ],
  variables: [
    ...variablesOf("params.spec.jobTemplate.spec.template"),
    { expression: "dyn(object.spec)", name: "job" },
    { expression: "dyn(params.spec.jobTemplate.spec)", name: "cron" },
    {
      expression: `object.metadata.labels[${cel(scheduled)}] != params.metadata.name`,
      name: "isOther",
    },
  ],
};

/** Label that distinguishes the pods of the service from the pods of jobs. */
const componentLabel = "app.kubernetes.io/component";

/** Fields of a container that `npm run debug` removes. */
const probes = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];
/** Fields of a pod that `npm run debug` removes (`ofReplicas`) or changes (`ofTwin`). */
const ofReplicas = ["affinity", "topologySpreadConstraints"];
const ofTwin = ["containers", "initContainers", "restartPolicy", "terminationGracePeriodSeconds"];

/**
 * Returns a CEL expression that is true if container `c` is a copy of a container in a list. The
 * fields in `probes` may be missing in the copy. The fields in `changed` may differ.
 */
const copyOf = (c: string, containers: string, changed: readonly string[], also = "true"): string =>
  `${containers}.exists(t, ${c}.name == t.name && ${within(c, "t", changed)} && ${hasKeys(c, "t", [...changed, ...probes])} && ${also})`;

/**
 * Policy for `npm run debug`: the pod must be a copy of a pod of the service, and no Service may
 * select the copy. The variable JAVA_TOOL_OPTIONS may have any value. A limit for this value would
 * protect nothing, because a debugger can run any code in the JVM.
 */
export const developerTwins: Policy = {
  inNamespaces: ofService,
  labelled: { key: twin, values: [service] },
  on: created,
  only: byDeveloper,
  requires: { apiVersion: "apps/v1", kind: "Deployment", name: service },
  validations: [
    runsOnce,
    endsInTime,
    {
      expression: `${within("variables.pod", "variables.templatePod", ofTwin)} && ${hasKeys("variables.pod", "variables.templatePod", [...ofTwin, ...ofReplicas])} && variables.pod.terminationGracePeriodSeconds <= variables.templatePod.terminationGracePeriodSeconds`,
      message: `the pod must have the ServiceAccount, the volumes and the settings of the pods of Deployment ${service}`,
    },
    {
      expression: `size(variables.pod.containers) == size(variables.templatePod.containers) && variables.pod.containers.all(c, ${copyOf("c", "variables.templatePod.containers", ["env"], `c.?env.orValue([]).all(e, t.?env.orValue([]).exists(f, e == f) || (e.name == "JAVA_TOOL_OPTIONS" && !("valueFrom" in e)))`)})`,
      message: `the containers must be those of Deployment ${service}, except for probes and JAVA_TOOL_OPTIONS`,
    },
    {
      expression: `variables.pod.?initContainers.orValue([]).all(c, ${copyOf("c", "variables.templatePod.?initContainers.orValue([])", [])})`,
      message: `the init containers must be init containers of Deployment ${service}`,
    },
    {
      expression: `${within("variables.labels", "variables.templateLabels", [...addedByKubernetes, componentLabel, twin])} && variables.labels[?${cel(componentLabel)}].orValue("") == "job"`,
      message: `the pod may have only the labels of a job and ${twin}, so that no Service selects the pod`,
    },
    annotationsOf("debug/", `Deployment ${service}`),
  ],
  variables: variablesOf("params.spec.template"),
};
