import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { containersOf } from "../../components/conventions/rollout/pod-status";
import { service } from "../../config/service";
import { dateOf } from "../../lib/time";
import { type Pod, isForbidden, list } from "../clients/kubectl";
import { type Check, type Patient, type Row, checks, ok, unanswered, unknown } from "./finding";
import { type Doors, enforcementIn, metadataIn } from "./observed";
import { type Role, doctorLabel, probeObjects, roles } from "./pods";
import { recordKey, recordOf } from "./record";

/** Timeout of the deletion of the probe's namespace, in milliseconds. */
const cleanUpMs = 4_000;
/**
 * Time that the check needs at its end to read the logs and to write the record, in milliseconds.
 */
const logMs = 3_000;
/**
 * Maximum age of a running probe's namespace, in milliseconds. If a namespace is older, someone has
 * killed its probe, and the next probe deletes the namespace.
 */
const leftMs = 120_000;

/**
 * Starts two pods. The network policies deny every connection of one pod, and allow every
 * connection of the other pod. The first instruction of each pod tries to connect to the API
 * server, DNS and the instance metadata. If the result is clear, the check writes the result into
 * the cluster's record.
 */
export const firstInstruction: Check = async (patient) => {
  const namespace = `${service}-doctor-${randomBytes(3).toString("hex")}`;
  const { kubectl } = patient.cluster;
  const remove = async () => {
    await kubectl(
      ["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"],
      cleanUpMs,
    );
  };
  const stopped = () => {
    void remove().finally(() => process.exit(1));
  };
  process.once("SIGINT", stopped).once("SIGTERM", stopped);
  try {
    const [doors] = await Promise.all([doorsOf(patient), removeLeft(patient)]);
    const [denied, allowed] = await outputs(patient, namespace, doors);
    const { enforcement, finding } = enforcementIn(denied, allowed, doors);
    return [
      { check: checks.policies, ...finding },
      { check: checks.metadata, ...metadataIn(allowed) },
      ...(enforcement === undefined
        ? []
        : [await written(patient, recordOf(enforcement, new Date()))]),
    ];
  } catch (error) {
    const finding = unanswered(error, "start a pod in a new namespace");
    return [checks.policies, checks.metadata].map((check) => ({ check, ...finding }));
  } finally {
    process.off("SIGINT", stopped).off("SIGTERM", stopped);
    await remove().catch((error: unknown) => {
      // This code assumes that a role without the permission to delete a namespace has no
      // permission to create a namespace. So no namespace is left.
      if (!isForbidden(error))
        console.error(`Namespace ${namespace} may still exist: ${String(error)}`);
    });
  }
};

interface ClusterService {
  readonly spec: { readonly clusterIP: string };
}

async function doorsOf({ cluster, left }: Patient): Promise<Doors> {
  const named = async (namespace: string, name: string) => {
    const args = ["--namespace", namespace, "--field-selector", `metadata.name=${name}`];
    const [found] = await list<ClusterService>(cluster, "services", args, left());
    return found?.spec.clusterIP;
  };
  const [api, dns] = await Promise.all([
    named("default", "kubernetes"),
    named("kube-system", "kube-dns"),
  ]);
  return {
    ...(api === undefined ? {} : { "the API server": `TCP/${api}/443` }),
    ...(dns === undefined ? {} : { DNS: `UDP/${dns}/53` }),
    "the instance metadata": "TCP/169.254.169.254/80",
  };
}

async function removeLeft({ cluster, left }: Patient): Promise<void> {
  const all = await list<Pick<Pod, "metadata">>(
    cluster,
    "namespaces",
    ["--selector", doctorLabel],
    left(),
  );
  const old = all.filter(({ metadata: { creationTimestamp } }) => {
    const created = dateOf(creationTimestamp);
    return created !== undefined && Date.now() - created.getTime() > leftMs;
  });
  if (old.length === 0) return;
  const names = old.map(({ metadata }) => metadata.name);
  await cluster.kubectl(["delete", "namespaces", ...names, "--wait=false"], left());
}

/** Runs the pods, and returns the output of each pod, in the order of {@link roles}. */
async function outputs(
  { cluster, left, settings }: Patient,
  namespace: string,
  doors: Doors,
): Promise<readonly [string, string]> {
  const items = probeObjects(namespace, settings.databaseImageRef, Object.values(doors));
  const objects = JSON.stringify({ apiVersion: "v1", items, kind: "List" });
  await cluster.kubectl(["create", "-f", "-"], left(), objects);
  for (;;) {
    const pods = await list<Pod>(cluster, "pods", ["--namespace", namespace], left());
    const waiting = pods.filter(({ status: { phase } }) => !/Succeeded|Failed/.test(phase));
    if (waiting.length === 0) break;
    // The check needs the last seconds to read the logs and to write the record.
    if (left() < logMs) throw new Error(waiting.map(reasonOf).join("; "));
    await sleep(500);
  }
  const logOf = async (role: Role) => cluster.kubectl(["logs", "-n", namespace, role], left());
  const [denied = "", allowed = ""] = await Promise.all(roles.map(logOf));
  return [denied, allowed];
}

/** Returns the reason why a pod has not ended in time. */
function reasonOf(pod: Pod): string {
  const { conditions, phase } = pod.status;
  const scheduled = conditions?.find(({ type }) => type === "PodScheduled")?.message;
  const waiting = containersOf(pod)[0]?.state?.waiting;
  const why = waiting?.message ?? waiting?.reason ?? scheduled ?? phase;
  return `pod ${pod.metadata.name} did not end in time (${why}); run the command again`;
}

/** Writes the record. Every deploy of a review stack reads this record. */
async function written({ cluster, left }: Patient, record: string): Promise<Row> {
  const check = "record";
  const args = ["annotate", "namespace", "kube-system", `${recordKey}=${record}`, "--overwrite"];
  return cluster.kubectl(args, left()).then(
    () => ({ check, ...ok("written for the deploys of review stacks, which read it") }),
    (error: unknown) => ({
      check,
      ...unknown(unanswered(error, "annotate the namespace kube-system").text),
    }),
  );
}
