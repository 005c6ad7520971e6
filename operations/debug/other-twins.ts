import { reasonOf } from "../../lib/command";
import { dateOf, span } from "../../lib/time";
import { list, withLabels } from "../clients/kubectl";
import type { Target } from "./target";
import { graceSeconds, twinAnnotations, twinLabels } from "./twin";

/** The Job of a twin: only the fields that this file reads. */
interface TwinJob {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly name: string;
  };
}

type Where = Pick<Target, "cluster" | "namespace">;

/** Longest wait until the pod of a deleted twin is gone, in seconds. */
const goneSeconds = 9;

/**
 * Deletes the twins that earlier commands of this person have started. For example, a twin still
 * exists if someone has killed the command of this twin. Prints the names of other people's twins.
 */
export async function replaceTwins(target: Target, who: string): Promise<void> {
  const { cluster, deployment, identity, namespace } = target;
  const which = ["--namespace", namespace, ...withLabels(twinLabels(identity, deployment))];
  for (const { metadata } of await list<TwinJob>(cluster, "jobs", which)) {
    const { annotations = {}, creationTimestamp, name } = metadata;
    const owner = annotations[twinAnnotations.who] ?? "unknown";
    if (owner === who) {
      console.error(`Deleting twin ${name}, which an earlier npm run debug of ${who} started.`);
      await deleteTwin(name, target);
    } else {
      const created = dateOf(creationTimestamp);
      const age = created === undefined ? "" : ` (for ${span(Date.now() - created.getTime())})`;
      console.error(`Twin ${name} of ${owner} is also running${age}.`);
    }
  }
}

/**
 * Deletes a twin, and waits until its pod is gone. If kubectl fails, this function prints what to
 * do, and does not throw.
 */
export async function deleteTwin(name: string, { cluster, namespace }: Where): Promise<void> {
  const remove = ["--namespace", namespace, "delete", "--ignore-not-found"];
  const pods = ["pods", "--selector", `batch.kubernetes.io/job-name=${name}`];
  const wait = [`--grace-period=${String(graceSeconds)}`, `--timeout=${String(goneSeconds)}s`];
  try {
    await cluster.kubectl([...remove, "job", name, "--wait=false"], 30_000);
    await cluster.kubectl([...remove, ...pods, ...wait], 30_000);
    console.error(`Twin ${name} is deleted.`);
  } catch (error) {
    console.error(
      `Twin ${name} could not be deleted: ${reasonOf(error)}. Kubernetes deletes it at its deadline. To delete it now: kubectl -n ${namespace} delete job ${name}`,
    );
  }
}
