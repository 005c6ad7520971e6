import { type Pod, list } from "../clients/kubectl";
import { UserError } from "../../lib/errors";
import type { ScheduledJobs } from "./read";

type Where = Pick<ScheduledJobs, "cluster" | "namespace">;

/** Label of a run's pods. The value is the name of the run's Job. */
const runLabel = "batch.kubernetes.io/job-name";

/** Returns the pods of a run, the oldest first. Each retry of a run has its own pod. */
export async function podsOf(run: string, where: Where): Promise<readonly Pod[]> {
  return podsWith(`${runLabel}=${run}`, where);
}

/**
 * Returns the pods of all runs. The key is the name of the run. The oldest pod of a run is the
 * first.
 */
export async function podsOfRuns(where: Where): Promise<ReadonlyMap<string, readonly Pod[]>> {
  const found = new Map<string, Pod[]>();
  for (const pod of await podsWith(runLabel, where)) {
    const run = pod.metadata.labels?.[runLabel] ?? "";
    found.set(run, [...(found.get(run) ?? []), pod]);
  }
  return found;
}

async function podsWith(selector: string, { cluster, namespace }: Where): Promise<readonly Pod[]> {
  const which = ["--namespace", namespace, "--selector", selector];
  const pods = await list<Pod>(cluster, "pods", which);
  const created = ({ metadata }: Pod): string => metadata.creationTimestamp ?? "";
  return [...pods].sort((one, other) => created(one).localeCompare(created(other)));
}

/**
 * Prints the log of each pod of a run on standard output, and the names of the pods on standard
 * error.
 *
 * @throws UserError if the run has no pod
 */
export async function printLogs(run: string, where: Where): Promise<void> {
  const pods = await podsOf(run, where);
  if (pods.length === 0) {
    throw new UserError(
      `Run ${run} has no pod, so there is no log. To see why: kubectl -n ${where.namespace} describe job ${run}`,
    );
  }
  for (const { metadata } of pods) {
    console.error(`Log of pod ${metadata.name}:`);
    await new PodLog(metadata.name, where).print();
  }
}

/** The log of a pod. Each call of `print` prints the lines that are new since the previous call. */
export class PodLog {
  readonly #container: readonly string[];
  readonly #pod: string;
  readonly #stream: NodeJS.WriteStream;
  readonly #where: Where;
  /** Timestamp of the last printed line, and how many printed lines have this timestamp. */
  #last: { readonly count: number; readonly time: string } | undefined;

  /**
   * @param container - name of the container with the log. Undefined for the pod's default
   * container.
   * @param stream - stream to which `print` writes. Default: standard output.
   */
  constructor(
    pod: string,
    where: Where,
    container?: string,
    stream: NodeJS.WriteStream = process.stdout,
  ) {
    this.#container = container === undefined ? [] : ["--container", container];
    this.#pod = pod;
    this.#stream = stream;
    this.#where = where;
  }

  /** Prints the lines that the pod has written since the last call. */
  async print(): Promise<void> {
    const { cluster, namespace } = this.#where;
    // `--since-time` has a resolution of one second, so the response may begin with lines that this
    // method has already printed.
    const since = this.#last === undefined ? [] : [`--since-time=${this.#last.time}`];
    const options = ["--timestamps", ...since];
    const args = ["--namespace", namespace, "logs", this.#pod, ...this.#container, ...options];
    const lines = (await cluster.kubectl(args)).split("\n").filter((line) => line !== "");
    let known = this.#last?.count ?? 0;
    for (const line of lines) {
      const [time = ""] = line.split(" ", 1);
      const last = this.#last;
      if (last !== undefined && time < last.time) continue;
      if (last?.time === time && known > 0) {
        known -= 1;
        continue;
      }
      this.#last = { count: last?.time === time ? last.count + 1 : 1, time };
      this.#stream.write(`${line.slice(time.length + 1)}\n`);
    }
  }
}
