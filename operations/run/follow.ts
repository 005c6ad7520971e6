import { setTimeout as sleep } from "node:timers/promises";
import { commandPod } from "../../components/conventions/one-off/command-pod";
import {
  type ContainerStatus,
  containerIssue,
} from "../../components/conventions/rollout/pod-status";
import { reasonOf } from "../../lib/command";
import { messageOf } from "../../lib/errors";
import { duration } from "../../lib/time";
import type { Pod, StartingCluster } from "../clients/kubectl";
import { FirstContainer, notBegun } from "../jobs/first-container";
import { PodLog, podsOf } from "../jobs/logs";
import { Forward } from "./forward";
import { Output } from "./output";

/** Exit code of `npm run run` if the command did not begin, or if its output is not complete. */
export const notComplete = notBegun;

/** Milliseconds to wait before this module reads the pod again. */
const pauseMs = 500;
/** If the cluster does not answer for this number of milliseconds, `follow` fails. */
const silenceMs = 120_000;

/**
 * Milliseconds to wait, after the end of the command, for the first byte of the output or for the
 * information that the output is empty. If the JVM could not start, the pod has no file with the
 * output, and sends nothing. Without this limit, this wait would then never end.
 */
const firstByteMs = 30_000;

/** The Job of a command, and the cluster that runs it. */
export interface Where {
  readonly cluster: StartingCluster;
  readonly name: string;
  readonly namespace: string;
}

/** How a command ended. */
export interface End {
  /** The command's own exit code, or {@link notComplete}. */
  readonly code: number;
  /** Whether the command has begun. If not, the caller must delete the Job. */
  readonly began: boolean;
  /** How the command ended, as a text for people. */
  readonly says: string;
}

const statusOf = (pod: Pod, container: string): ContainerStatus | undefined =>
  pod.status.containerStatuses?.find(({ name }) => name === container);

const hasBegun = (status: ContainerStatus | undefined): boolean =>
  status?.state?.running !== undefined || status?.state?.terminated !== undefined;

/**
 * Waits until a command ends. Calls `write` with the command's output, and prints the command's log
 * messages on standard error.
 *
 * @param write writes a part of the output to its destination
 * @param began time at which the wait began, in milliseconds since 1970. Default: now
 * @throws the error of kubectl, if the cluster does not answer for two minutes
 */
export async function follow(
  where: Where,
  write: (part: Buffer) => Promise<void>,
  { began = Date.now(), patienceMs = firstByteMs } = {},
): Promise<End> {
  const pods = new Pods(where);
  const started = await start(pods, where, began);
  if ("code" in started) return started;
  const name = started.metadata.name;
  const { cluster, namespace } = where;
  const output = new Output(
    async () => Forward.open(cluster.start, namespace, name, commandPod.port),
    write,
  );
  const gone = new AbortController();
  const received = output.receive(gone.signal);
  try {
    const log = new PodLog(name, where, commandPod.command, process.stderr);
    const last = await untilReceived({ log, output, patienceMs, pods, received });
    gone.abort();
    const complete = await received;
    if (complete) await output.confirm();
    return endOf(last, complete, output, Date.now() - began);
  } finally {
    gone.abort();
    output.close();
  }
}

/**
 * Waits until the command has begun. Returns the pod, or the reason why the command cannot begin.
 */
async function start(pods: Pods, { name, namespace }: Where, began: number): Promise<End | Pod> {
  const first = new FirstContainer(name, namespace, began);
  const failed = (says: string): End => ({ began: false, code: notComplete, says });
  for (;;) {
    const pod = await pods.read();
    if (pod !== undefined && hasBegun(statusOf(pod, commandPod.command))) return pod;
    if (pod?.status.phase === "Failed") return failed(`cannot start: ${reasonOfPod(pod)}`);
    const why = first.issue(pod === undefined ? [] : [pod]);
    if (why !== undefined) return failed(`cannot start: ${why}`);
    await sleep(pauseMs);
  }
}

interface Following {
  readonly log: PodLog;
  readonly output: Output;
  readonly patienceMs: number;
  readonly pods: Pods;
  readonly received: Promise<boolean>;
}

/**
 * Prints the log messages of the command until the caller has received the whole output of the
 * command, or until the pod can no longer send the output.
 *
 * @returns the pod in its last known state, or undefined if there never was a pod
 * @throws Error if the output cannot be written to its destination
 */
async function untilReceived({
  log,
  output,
  patienceMs,
  pods,
  received,
}: Following): Promise<Pod | undefined> {
  const state: { complete: boolean; failed?: Error } = { complete: false };
  received.then(
    (answer) => {
      state.complete = answer;
    },
    (error: unknown) => {
      state.failed = error instanceof Error ? error : new Error(messageOf(error));
    },
  );
  let endedAt: number | undefined;
  let last: Pod | undefined;
  for (;;) {
    const pod = await pods.read();
    last = pod ?? last;
    if (pod !== undefined) await log.print().catch(() => undefined);
    const ended = (container: string): boolean =>
      pod === undefined || statusOf(pod, container)?.state?.terminated !== undefined;
    if (state.failed !== undefined) throw state.failed;
    if (ended(commandPod.command)) {
      endedAt ??= Date.now();
      const isEmpty = output.bytes === 0 && Date.now() - endedAt > patienceMs;
      if (state.complete || ended(commandPod.output) || isEmpty) return last;
    }
    await sleep(pauseMs);
  }
}

function endOf(pod: Pod | undefined, complete: boolean, output: Output, took: number): End {
  const status = pod && statusOf(pod, commandPod.command);
  const code = status?.state?.terminated?.exitCode;
  const bytes = `${String(output.bytes)} bytes of output`;
  if (status === undefined || code === undefined || !complete) {
    const why = pod === undefined ? "its pod is gone" : reasonOfPod(pod);
    const says = `the output is not complete (${bytes} received): ${why}`;
    return { began: true, code: notComplete, says };
  }
  const how = code === 0 ? "succeeded" : (containerIssue({ ...status, ready: false }) ?? "failed");
  return { began: true, code, says: `${how} after ${duration(took)}, ${bytes}` };
}

/** Returns the reason why the caller cannot get the output from a pod. */
function reasonOfPod(pod: Pod): string {
  const { message, reason } = pod.status as { message?: string; reason?: string };
  if (message !== undefined) return `${reason ?? "Failed"}: ${message}`;
  const [issue] = [commandPod.output, commandPod.command].flatMap((name) => {
    const status = statusOf(pod, name);
    if (status === undefined || status.state?.running !== undefined) return [];
    const text = containerIssue({ ...status, ready: false });
    return text === undefined ? [] : [`container ${name} ${text}`];
  });
  return (
    issue ??
    "someone else has received the output, or Kubernetes has stopped the pod at its deadline"
  );
}

/** Reads the pod of a Job, and tries again if the cluster does not answer. */
class Pods {
  #answered = Date.now();
  readonly #where: Where;

  constructor(where: Where) {
    this.#where = where;
  }

  /**
   * Returns the pod. Undefined if the Job has no pod.
   *
   * @throws the error of kubectl, if the cluster does not answer for two minutes
   */
  async read(): Promise<Pod | undefined> {
    for (;;) {
      try {
        const [pod] = await podsOf(this.#where.name, this.#where);
        this.#answered = Date.now();
        return pod;
      } catch (error) {
        if (Date.now() - this.#answered > silenceMs) throw error;
        console.error(`The cluster does not answer. Next try in 5 s. ${reasonOf(error)}`);
        await sleep(5_000);
      }
    }
  }
}
