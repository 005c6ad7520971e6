import { copyLabels } from "../../../components/conventions/one-off/copies";
import { CommandTemplate } from "../../../components/scheduled-job/command-template";
import { ScheduledJob } from "../../../components/scheduled-job/scheduled-job";
import { WebService } from "../../../components/web-service/web-service";
import { service } from "../../../config/service";
import { type PodTemplate, jobOf } from "../../../operations/run/job";
import { command, database, job, web } from "../../support/fixtures";
import { type Manifest, record, settled } from "../../support/mocks";

/** The objects of a stack from which a developer can create a Job. */
export interface StackObjects {
  readonly cronJob: Manifest;
  readonly deployment: Manifest;
  readonly podTemplate: Manifest;
}

/** Name of the scheduled job. */
const scheduledName = "expire-unpaid";

/**
 * Returns the CronJob, the Deployment and the PodTemplate that the components of a stack create.
 */
export async function stackObjects(namespace: string): Promise<StackObjects> {
  const recorder = await record();
  const common = { database, namespace };
  const scheduledJobs = [scheduledName];
  new ScheduledJob(scheduledName, { ...job, ...common, suspend: true });
  new WebService(service, { ...web, ...common, replicas: 2 });
  new CommandTemplate(service, { ...command, ...common, scheduledJobs });
  await settled();
  const one = (apiVersion: string, kind: string): Manifest => {
    const { inputs } = recorder.one(`kubernetes:${apiVersion.replace(/^v1$/, "core/v1")}:${kind}`);
    return { ...structuredClone(inputs), apiVersion, kind };
  };
  return {
    cronJob: one("batch/v1", "CronJob"),
    deployment: one("apps/v1", "Deployment"),
    podTemplate: one("v1", "PodTemplate"),
  };
}

/** Returns the Job of `npm run run`. */
function commandJob({ podTemplate }: StackObjects): Manifest {
  const request = { args: ["export"], deadlineSeconds: 3600, reason: "audit", who: "ada" };
  return structuredClone(jobOf("run-export-1", podTemplate as PodTemplate, request));
}

/**
 * Returns the Job of `npm run jobs -- STACK run JOB`. kubectl creates this Job from the CronJob.
 */
export function scheduledRun({ cronJob }: StackObjects): Manifest {
  const { metadata, spec } = structuredClone(cronJob.spec.jobTemplate);
  const labels = { ...metadata.labels, [copyLabels.scheduled]: cronJob.metadata.name };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { ...metadata, labels, name: `${scheduledName}-1` },
    spec,
  };
}

function without(object: Manifest, fields: readonly string[]): Manifest {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));
}

function withDebugger(container: Manifest): Manifest {
  const probes = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];
  const jdwp = "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:5005";
  const env = container.env.map(({ name, value, ...other }: Manifest) =>
    name === "JAVA_TOOL_OPTIONS"
      ? { name, value: `${String(value)} ${jdwp}` }
      : { name, ...(value === undefined ? {} : { value }), ...other },
  );
  return { ...without(container, probes), env };
}

/**
 * Returns the Job of `npm run debug`. The pod of this Job is a copy of the service's pod, with a
 * debugger.
 */
function twinJob({ deployment }: StackObjects): Manifest {
  const { metadata, spec } = structuredClone(deployment.spec.template);
  const { containers, initContainers, ...rest } = without(spec, [
    "affinity",
    "topologySpreadConstraints",
  ]);
  const kept = ["app.kubernetes.io/instance", "app.kubernetes.io/name"];
  const labels = {
    ...Object.fromEntries(kept.map((key) => [key, metadata.labels[key]])),
    "app.kubernetes.io/component": "job",
    [copyLabels.twin]: deployment.metadata.name,
  };
  const annotations = { "debug/by": "ada" };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { annotations, labels, name: "debug-ada-1" },
    spec: {
      activeDeadlineSeconds: 3600,
      backoffLimit: 0,
      template: {
        metadata: { annotations, labels },
        spec: {
          ...rest,
          containers: containers.map(withDebugger),
          initContainers: initContainers?.filter(({ name }: Manifest) => name !== "migrate"),
          restartPolicy: "Never",
          terminationGracePeriodSeconds: 2,
        },
      },
      ttlSecondsAfterFinished: 30,
    },
  };
}

/** A change to a Job, and the message of the policy that refuses the changed Job. */
export type Attack = readonly [change: (job: Manifest) => void, message: RegExp];

const pod = (job: Manifest): Manifest => job.spec.template.spec;
const first = (job: Manifest): Manifest => pod(job).containers[0];
const evil = "registry.example.com/evil:1";
const adminSecret = {
  name: "STOLEN",
  valueFrom: { secretKeyRef: { key: "password", name: "database-admin" } },
};

/** Attacks that are possible with every Job that a developer may create. */
const withEachJob: Readonly<Record<string, Attack>> = {
  "takes another image": [(job) => (first(job).image = evil), /must be|must have/],
  "adds a container": [
    (job) => pod(job).containers.push({ ...first(job), image: evil, name: "more" }),
    /must be/,
  ],
  "runs a shell": [(job) => (first(job).command = ["sh", "-c", "id"]), /must be/],
  "reads another Secret into a variable": [(job) => first(job).env.push(adminSecret), /must be/],
  "mounts another Secret": [
    (job) => pod(job).volumes.push({ name: "more", secret: { secretName: "database-admin" } }),
    /must be|must have/,
  ],
  "takes another ServiceAccount": [
    (job) => (pod(job).serviceAccountName = "admin"),
    /must be|must have/,
  ],
  "mounts a token of the ServiceAccount": [
    (job) => (pod(job).automountServiceAccountToken = true),
    /must be|must have/,
  ],
  "has an init container": [
    (job) => (pod(job).initContainers = [{ ...first(job), image: evil, name: "before" }]),
    /must be/,
  ],
  "gets the requests of the service": [
    (job) => (job.spec.template.metadata.labels["app.kubernetes.io/component"] = "web"),
    /labels/,
  ],
  "asks for checks of the Datadog Agent": [
    (job) => (job.spec.template.metadata.annotations = { "ad.datadoghq.com/x.checks": "{}" }),
    /may have only the annotations of/,
  ],
  "runs many pods": [(job) => (job.spec.parallelism = 50), /must have parallelism 1/],
  "says that it is a copy of two objects": [
    (job) =>
      Object.assign(job.metadata.labels, {
        [copyLabels.twin]: service,
        "run/template": service,
        "jobs/run-of": scheduledName,
      }),
    // Several policies refuse this Job. The API server's message names one of these policies.
    /a developer|must|may have only/,
  ],
  "does not say what it is a copy of": [
    (job) => (job.metadata.labels = { app: "mine" }),
    /may create and delete only the Jobs of/,
  ],
};

/** Each Job that a developer may create, and the attacks with this Job. */
export const developerJobs: readonly {
  readonly attacks: Readonly<Record<string, Attack>>;
  readonly jobOf: (objects: StackObjects) => Manifest;
  readonly name: string;
}[] = [
  {
    attacks: {
      ...withEachJob,
      "has no deadline": [(job) => delete job.spec.activeDeadlineSeconds, /a deadline of at most/],
      "writes the output into the log": [
        (job) => (first(job).env = first(job).env.slice(1)),
        /must be the pod of PodTemplate services-orders/,
      ],
      "says that another PodTemplate is its template": [
        (job) => (job.metadata.labels[copyLabels.command] = "mine"),
        /have the value services-orders/,
      ],
    },
    jobOf: commandJob,
    name: "npm run run",
  },
  {
    attacks: {
      ...withEachJob,
      "changes the arguments": [
        (job) => (first(job).args = ["expire-unpaid", "--older-than", "0h"]),
        /must be the pod of the CronJob/,
      ],
      "has a longer deadline": [
        (job) => (job.spec.activeDeadlineSeconds = 86_000),
        /all settings of its CronJob, such as the deadline/,
      ],
      "names a CronJob that does not exist": [
        (job) => {
          job.metadata.labels[copyLabels.scheduled] = "none";
          first(job).image = evil;
        },
        /must name a scheduled job of the stack/,
      ],
    },
    jobOf: scheduledRun,
    name: "npm run jobs",
  },
  {
    attacks: {
      ...withEachJob,
      "reads another Secret into JAVA_TOOL_OPTIONS": [
        (job) => {
          const { env } = first(job);
          first(job).env = [
            ...env.filter(({ name }: Manifest) => name !== "JAVA_TOOL_OPTIONS"),
            { ...adminSecret, name: "JAVA_TOOL_OPTIONS" },
          ];
        },
        /containers must be those of Deployment/,
      ],
      "changes another variable": [
        (job) => (first(job).env[0].value = "other"),
        /containers must be those of Deployment/,
      ],
      "stays after its deadline": [
        (job) => (pod(job).terminationGracePeriodSeconds = 86_000),
        /must have the ServiceAccount, the volumes and the settings/,
      ],
      "says that another Deployment is its twin": [
        (job) => (job.metadata.labels[copyLabels.twin] = "mine"),
        /have the value services-orders/,
      ],
    },
    jobOf: twinJob,
    name: "npm run debug",
  },
];
