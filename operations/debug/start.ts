import { setTimeout as sleep } from "node:timers/promises";
import { Obstacles } from "../../components/conventions/rollout/obstacles";
import { containerIssue, containersOf } from "../../components/conventions/rollout/pod-status";
import { UserError } from "../../lib/errors";
import { type Pod, list } from "../clients/kubectl";
import { podsOf } from "../jobs/logs";
import type { Target } from "./target";

/** Interval at which the command reads the pod, in milliseconds. */
const pauseMs = 500;
/** Longest time until the JVM of a twin waits for a debugger, in milliseconds. */
const startMs = 180_000;
/** The line that the JVM prints when it waits for a debugger. */
const listens = /Listening for transport dt_socket/;

type Where = Pick<Target, "cluster" | "namespace">;

/**
 * Waits until the JVM of a twin waits for a debugger. This function reads the log and opens no
 * test connection, because the JVM would treat a test connection as a debugger.
 *
 * @param container name of the container with the debugger
 * @param aborted signal that ends the wait
 * @returns the name of the twin's pod
 * @throws UserError that says why the twin cannot start
 */
export async function startedPod(
  name: string,
  container: string,
  where: Where,
  aborted: AbortSignal,
): Promise<string> {
  const began = Date.now();
  const obstacles = new Obstacles(began);
  const { cluster, namespace } = where;
  for (;;) {
    aborted.throwIfAborted();
    const [pod] = await podsOf(name, where);
    const now = Date.now();
    if (pod === undefined) await assertAllowed(name, where);
    else {
      const log = ["--namespace", namespace, "logs", pod.metadata.name, "--container", container];
      const text = await cluster.kubectl(log, 30_000).catch(() => "");
      if (hasEnded(pod)) throw new UserError(`The twin has ended: ${endOf(pod)}${lastLines(text)}`);
      if (listens.test(text)) return pod.metadata.name;
    }
    const pods = pod === undefined ? [] : [pod];
    const why = obstacles.at(now, { failedMounts: [], pods, refused: undefined });
    if (why !== undefined) throw new UserError(`The twin cannot start: ${why}`);
    if (now - began > startMs) {
      throw new UserError(
        `The twin has not started within ${String(startMs / 1000)} seconds. To see why: kubectl -n ${namespace} describe pods --selector batch.kubernetes.io/job-name=${name}`,
      );
    }
    await sleep(pauseMs);
  }
}

interface Event {
  readonly message?: string;
}

/**
 * Checks whether Kubernetes refuses the pod of a twin. For example, a quota can be the reason.
 *
 * @throws UserError with the reason, if Kubernetes refuses the pod
 */
async function assertAllowed(name: string, { cluster, namespace }: Where): Promise<void> {
  const which = `involvedObject.kind=Job,involvedObject.name=${name},reason=FailedCreate`;
  const found = ["--namespace", namespace, "--field-selector", which];
  const [event] = await list<Event>(cluster, "events", found);
  if (event?.message === undefined) return;
  const reason = event.message.replace(/^Error creating: pods "[^"]*" is forbidden: /, "");
  throw new UserError(
    `Kubernetes refuses the twin's pod: ${reason}. If a quota is too small, raise the quota, or scale the Deployment down.`,
  );
}

export const hasEnded = ({ status: { phase } }: Pod): boolean =>
  phase === "Failed" || phase === "Succeeded";

/** Returns a text that describes how the pod of a twin has ended. */
export function endOf(pod: Pod): string {
  const { message, reason } = pod.status as { message?: string; reason?: string };
  if (message !== undefined) return `${reason ?? "Failed"}: ${message}`;
  const issues = containersOf(pod).flatMap(
    (status) => containerIssue({ ...status, ready: false }) ?? [],
  );
  return issues[0] ?? "its JVM has ended";
}

function lastLines(text: string): string {
  const lines = text.trimEnd().split("\n").slice(-10).join("\n");
  return lines === "" ? "" : `. Last lines of its log:\n${lines}`;
}
