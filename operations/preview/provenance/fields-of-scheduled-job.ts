import { scheduledJobsAnnotation } from "../../../components/conventions/one-off/copies";
import { type FieldsOfArgs, identityLabels, of, under, type Pods, podArgs } from "./field-paths";

const jobPods: Pods = {
  initContainers: [],
  kind: "CronJob",
  kinds: ["ConfigMap", "CronJob", "ServiceAccount"],
  metadata: ["spec.jobTemplate.metadata"],
  template: "spec.jobTemplate.spec.template",
};
const run = "spec.jobTemplate.spec";
const jobPod = `${jobPods.template}.spec`;
const sharedJob = podArgs(jobPods);

/** The fields that each arg of a ScheduledJob sets. */
export const scheduledJobFields = {
  ...sharedJob,
  activeDeadlineSeconds: of("CronJob", `${run}.activeDeadlineSeconds`),
  args: of("CronJob", `${jobPod}.containers[*].args`),
  backoffLimit: of("CronJob", `${run}.backoffLimit`),
  completionMode: of("CronJob", `${run}.completionMode`),
  completions: of("CronJob", `${run}.completions`),
  concurrencyPolicy: of("CronJob", "spec.concurrencyPolicy"),
  failedJobsHistoryLimit: of("CronJob", "spec.failedJobsHistoryLimit"),
  iamRoleArn: [
    ...sharedJob.iamRoleArn,
    ...of("ServiceAccount", ""),
    ...of("CronJob", `${jobPod}.serviceAccountName`),
  ],
  identity: [
    ...sharedJob.identity,
    ...of("CronJob", ...under(["spec.jobTemplate"], ...identityLabels)),
  ],
  onFailure: of(
    "CronJob",
    ...["", "spec.jobTemplate."].flatMap((prefix) =>
      ["runbook", "tell"].map((key) => `${prefix}metadata.annotations["on-failure/${key}"]`),
    ),
  ),
  "overrides.container": of("CronJob", `${jobPod}.containers[*]`),
  "overrides.cronJobSpec": of("CronJob", "spec"),
  "overrides.jobSpec": of("CronJob", run),
  "overrides.podSpec": of("CronJob", jobPod),
  parallelism: of("CronJob", `${run}.parallelism`),
  podFailurePolicy: of("CronJob", `${run}.podFailurePolicy`),
  podReplacementPolicy: of("CronJob", `${run}.podReplacementPolicy`),
  // The default of `activeDeadlineSeconds` depends on the interval between two scheduled runs.
  schedule: of("CronJob", "spec.schedule", `${run}.activeDeadlineSeconds`),
  serviceAccountName: of("CronJob", `${jobPod}.serviceAccountName`),
  startingDeadlineSeconds: of("CronJob", "spec.startingDeadlineSeconds"),
  successfulJobsHistoryLimit: of("CronJob", "spec.successfulJobsHistoryLimit"),
  suspend: of("CronJob", "spec.suspend"),
  timeZone: of("CronJob", "spec.timeZone"),
  ttlSecondsAfterFinished: of("CronJob", `${run}.ttlSecondsAfterFinished`),
} as const satisfies FieldsOfArgs;

const templatePods: Pods = {
  initContainers: [],
  kind: "PodTemplate",
  kinds: ["PodTemplate"],
  metadata: [],
  template: "template",
};
const sharedTemplate = podArgs(templatePods);

/** The fields that each arg of a CommandTemplate sets. */
export const commandTemplateFields = {
  appEndpoint: sharedTemplate.appEndpoint,
  database: sharedTemplate.database,
  identity: sharedTemplate.identity.filter(({ path }) => !path.endsWith("annotations")),
  imageRef: sharedTemplate.imageRef,
  namespace: sharedTemplate.namespace,
  release: sharedTemplate.release,
  requests: sharedTemplate.requests.filter(({ path }) => !path.includes("datadog-agent")),
  scheduledJobs: of("PodTemplate", `metadata.annotations["${scheduledJobsAnnotation}"]`),
  serviceAccountName: of("PodTemplate", "template.spec.serviceAccountName"),
} as const satisfies FieldsOfArgs;
