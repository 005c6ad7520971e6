import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../lib/errors";
import { containersOf } from "../../components/conventions/rollout/pod-status";
import { type Cluster, type Pod, list } from "../clients/kubectl";
import {
  type Labels,
  type PodSource,
  containerOf,
  probeNamespace,
  podName,
  probeLabel,
  probePod,
} from "./pods";

/** The functions of a probe that use kubectl. Every wait has a timeout. */

/**
 * Timeout of one kubectl command, in milliseconds. The deletion of a namespace takes the most time.
 */
const timeoutMs = 100_000;
/**
 * Timeout for the start of the probe's pods, in milliseconds. Before the pods start, the nodes pull
 * an image.
 */
const startTimeoutMs = 60_000;

/** The cluster and the namespaces of a probe. */
export interface Place {
  readonly cluster: Cluster;
  readonly namespace: string;
  /**
   * Name of a namespace that the probe creates. A pod in this namespace tests connections to and
   * from other namespaces.
   */
  readonly other: string;
}

export async function podsOf(cluster: Cluster, namespace: string): Promise<readonly Pod[]> {
  return list<Pod>(cluster, "pods", ["--namespace", namespace]);
}

/**
 * Deletes the objects that this probe or an earlier probe created. If `until` is "gone", the
 * function waits until the objects are gone. If `until` is "going", the function does not wait.
 */
export async function remove(
  { cluster: { kubectl }, namespace, other }: Place,
  until: "going" | "gone",
): Promise<void> {
  const wait = until === "going" ? ["--wait=false"] : ["--timeout=90s"];
  // The label shows that a probe created this namespace: a namespace with the same name may belong
  // to someone else.
  const own = ["-l", probeLabel, "--field-selector", `metadata.name=${other}`];
  const pods = ["pods", "-n", namespace, "-l", probeLabel, "--grace-period=0"];
  await Promise.all([
    kubectl(["delete", ...pods, ...wait], timeoutMs),
    kubectl(["delete", "namespaces", ...own, ...wait], timeoutMs),
  ]);
}

/**
 * Creates the probe's pods, and waits until the pods can run commands.
 *
 * @returns the sources from which the probe cannot try connections. Each source has a reason.
 * @throws UserError if a pod does not run within a minute. The error contains the reason.
 */
export async function makePods(
  { cluster, namespace, other }: Place,
  sources: readonly PodSource[],
  image: string,
  instance: Labels,
): Promise<ReadonlyMap<PodSource, string>> {
  const missing = new Map<PodSource, string>();
  const create = async (object: object, ...where: readonly string[]): Promise<string> =>
    cluster.kubectl(["create", ...where, "-f", "-"], timeoutMs, JSON.stringify(object));
  await Promise.all(
    sources.map(async (source) => {
      const pod = probePod(source, image, instance);
      if (source !== "other namespaces") {
        await create(pod, "-n", namespace);
        return;
      }
      try {
        await create(probeNamespace(other, probeLabel));
        await create(pod, "-n", other);
      } catch (error) {
        if (!/Forbidden|forbidden/.test((error as Error).message)) throw error;
        missing.set(source, "no permission to create a namespace");
      }
    }),
  );
  const inside = sources.filter((source) => source !== "other namespaces");
  await running(cluster, namespace, inside);
  if (sources.length > inside.length && missing.size === 0) {
    await running(cluster, other, ["other namespaces"]);
  }
  return missing;
}

async function running(
  cluster: Cluster,
  namespace: string,
  sources: readonly PodSource[],
): Promise<void> {
  const until = Date.now() + startTimeoutMs;
  for (;;) {
    const pods = await podsOf(cluster, namespace);
    const waiting = sources.flatMap((source) => {
      const pod = pods.find(({ metadata }) => metadata.name === podName(source));
      const its = pod && containersOf(pod).find(({ name }) => name === containerOf(source));
      if (its?.state?.running !== undefined && pod?.status.podIP !== undefined) return [];
      // A pod without a node has no container states. The pod's condition PodScheduled then
      // contains the reason.
      const { conditions, phase = "no pod" } = pod?.status ?? {};
      const scheduled = conditions?.find(({ type }) => type === "PodScheduled")?.message;
      const { message = scheduled ?? phase, reason = "" } = its?.state?.waiting ?? {};
      return [`${podName(source)}: ${`${reason} ${message}`.trim()}`];
    });
    if (waiting.length === 0) return;
    if (Date.now() > until) {
      throw new UserError(
        `these probe pods have not started after ${String(startTimeoutMs / 1000)} s. Fix what each pod waits for:\n${waiting.join("\n")}`,
      );
    }
    await sleep(500);
  }
}
