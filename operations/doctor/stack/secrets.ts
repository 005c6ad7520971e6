import { environments } from "../../../environments";
import { reasonOf } from "../../../lib/command";
import { isForbidden, list } from "../../clients/kubectl";
import { type Finding, notNeeded, ok, unanswered, unknown, wrong } from "../finding";
import { namespaceOf } from "./cluster";
import { type StackCheck, type StackPatient, askAdministrator } from "./patient";

interface Container {
  readonly env?: readonly {
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name?: string; optional?: boolean } };
  }[];
  readonly envFrom?: readonly { readonly secretRef?: { readonly name?: string } }[];
}

/** The spec of a pod: only the fields that name Secrets. */
interface PodSpec {
  readonly containers?: readonly Container[];
  readonly imagePullSecrets?: readonly { readonly name?: string }[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly secret?: { readonly secretName?: string } }[];
}

interface WithPods {
  readonly spec: {
    readonly jobTemplate?: WithPods;
    readonly template?: { readonly spec?: PodSpec };
  };
}

/** Returns the names of the Secrets that the pods of a Deployment or a CronJob use. */
export function secretsOf({ spec }: WithPods): readonly string[] {
  if (spec.jobTemplate !== undefined) return secretsOf(spec.jobTemplate);
  const pod = spec.template?.spec ?? {};
  const containers = [...(pod.initContainers ?? []), ...(pod.containers ?? [])];
  const names = [
    ...(pod.volumes ?? []).map(({ secret }) => secret?.secretName),
    ...(pod.imagePullSecrets ?? []).map(({ name }) => name),
    ...containers.flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
  ];
  return [...new Set(names.filter((name) => name !== undefined))];
}

/**
 * Whether the Secrets of the stack's pods exist: the Secret of the database in the settings, and
 * every Secret that the Deployments and CronJobs in the stack's namespace use. The check does not
 * include the Secrets that someone has added to the program since the last deploy.
 */
export const secrets: StackCheck = async (patient) => [
  { check: "secrets", ...(await examined(patient)) },
];

async function examined(patient: StackPatient): Promise<Finding> {
  const { settings } = patient;
  const { canaryDatabaseSecretName, databaseSecretName, environment } = settings;
  const { canaryOf, data } = environments[environment];
  if (data === "own" && (await namespaceOf(patient)) === undefined) {
    return notNeeded("the namespace does not exist yet");
  }
  const ofDatabase =
    data === "own"
      ? []
      : [databaseSecretName, canaryOf === undefined ? undefined : canaryDatabaseSecretName];
  const known = ofDatabase.filter((name) => name !== undefined);
  const { cluster, left } = patient;
  const where = ["--namespace", settings.namespace];
  const objects = await list<WithPods>(await cluster, "deployments,cronjobs", where, left()).catch(
    (error: unknown) =>
      unanswered(error, "list the Deployments and CronJobs, which name Secrets", askAdministrator),
  );
  // If the role has no permission to list these objects, the check still requests the Secret of the
  // database.
  const used = "status" in objects ? [] : objects.flatMap(secretsOf);
  const finding = await existing([...new Set([...known, ...used])].sort(), patient);
  return "status" in objects && finding.status === "ok" ? objects : finding;
}

async function existing(
  names: readonly string[],
  { cluster, left, settings }: StackPatient,
): Promise<Finding> {
  if (names.length === 0) return ok("the pods use no Secret");
  const { namespace } = settings;
  const { kubectl } = await cluster;
  try {
    // With this output format, the cluster sends a table with names and numbers, but not the values
    // of the Secrets.
    const output = ["--ignore-not-found", "--no-headers", "--output", "wide"];
    const args = ["get", "secrets", ...names, "--namespace", namespace, ...output];
    const lines = (await kubectl(args, left())).split("\n");
    const there = lines.map((line) => line.split(/\s+/)[0] ?? "");
    const missing = names.filter((name) => !there.includes(name));
    return missing.length === 0
      ? ok(`${names.join(", ")} ${names.length === 1 ? "exists" : "exist"}`)
      : wrong(
          `${missing.join(", ")} ${missing.length === 1 ? "does" : "do"} not exist in ${namespace}, so no new pod starts. ` +
            "Check External Secrets, or create the Secret",
        );
  } catch (error) {
    return isForbidden(error)
      ? unknown(`this role may not ask whether these Secrets exist: ${names.join(", ")}`)
      : unknown(`could not read Secrets: ${reasonOf(error)}`);
  }
}
