import { appendFile } from "node:fs/promises";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { instanceSelector, trackSelector } from "../../components/conventions/labels";
import { diagnostics } from "../../components/conventions/one-off/diagnostics";
import { UserError, WrongUse, messageOf } from "../../lib/errors";
import { list, withLabels } from "../clients/kubectl";
import { Forward, Refusal } from "../run/forward";
import { Output, type OutputOptions } from "../run/output";
import { toStandardOutput } from "../run/standard-output";
import { Stop, Stopped } from "./stop";
import type { Target } from "./target";

/** The kind of data to get from a running pod, and the file for the data. */
export type Capture =
  | { readonly file: string; readonly kind: "heap" }
  | { readonly file: string; readonly kind: "jfr"; readonly seconds: number }
  | { readonly kind: "threads" };

export interface CaptureRequest {
  /** Name of the pod. If undefined, the command uses any ready pod of the service. */
  readonly pod: string | undefined;
  readonly reason: string | undefined;
  /** The person or the CircleCI job that requests the data. */
  readonly who: string;
}

/** Longest duration of a flight recording, in seconds. */
const mostSeconds = 600;
/**
 * Longest time until the service has written a heap dump, in milliseconds. The JVM does not answer
 * while it writes the dump.
 */
const dumpMs = 300_000;

/**
 * Returns the capture that the options request. Undefined if the options request a twin.
 *
 * @throws WrongUse if the values of `jfr` are wrong
 */
export function captureOf(options: {
  readonly heap?: string;
  readonly jfr?: readonly string[];
  readonly threads?: boolean;
}): Capture | undefined {
  const { heap, jfr, threads = false } = options;
  if (threads) return { kind: "threads" };
  if (heap !== undefined) return { file: heap, kind: "heap" };
  if (jfr === undefined) return undefined;
  const [time = "", file, ...more] = jfr;
  const [, digits, unit = ""] = /^([1-9][0-9]{0,3})([sm])$/.exec(time) ?? [];
  const seconds = Number(digits) * (unit === "m" ? 60 : 1);
  if (file === undefined || more.length > 0 || !(seconds <= mostSeconds)) {
    throw new WrongUse(
      `--jfr needs a time from 1s to ${String(mostSeconds / 60)}m and a file, such as --jfr 60s orders.jfr.`,
    );
  }
  return { file, kind: "jfr", seconds };
}

/** Returns a text about a capture, for a message. */
export function wordsOf(wanted: Capture): string {
  if (wanted.kind === "threads") return "a thread dump";
  if (wanted.kind === "heap") return "a heap dump";
  return `a flight recording of ${String(wanted.seconds)} seconds`;
}

/** A pod: only the fields that this file reads. */
interface ServicePod {
  readonly metadata: { readonly deletionTimestamp?: string; readonly name: string };
  readonly spec: {
    readonly containers: readonly {
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
    }[];
  };
  readonly status: {
    readonly conditions?: readonly { readonly status: string; readonly type: string }[];
  };
}

/**
 * Gets a thread dump, a heap dump or a flight recording of a running pod. A thread dump goes to
 * standard output. A heap dump or a flight recording goes to a file. The function creates the file
 * only when the data is complete.
 *
 * @throws UserError if the stack has no matching pod, if the release of the pod has no diagnostics,
 * or if the pod does not send a complete result
 */
export async function capture(
  target: Target,
  wanted: Capture,
  { pod: name, reason, who }: CaptureRequest,
): Promise<void> {
  const pod = await podOf(target, name);
  const port = portOf(pod);
  console.error(`Pod ${pod.metadata.name}: ${wordsOf(wanted)}`);
  const { cluster, namespace } = target;
  const open = async (): Promise<Forward> =>
    Forward.open(cluster.start, namespace, pod.metadata.name, port);
  // The service writes this text into its log. A header may contain only ASCII characters.
  const by = reason === undefined ? who : `${who}: ${reason}`;
  const headers = { "Requested-By": by.replaceAll(/[^ -~]/g, "?") };
  const forward = await open();
  try {
    if (wanted.kind === "threads") {
      await forward.ask("POST", "/threads", toStandardOutput, { headers });
      return;
    }
    const seconds = wanted.kind === "jfr" ? `?seconds=${String(wanted.seconds)}` : "";
    let id = "";
    await forward.ask(
      "POST",
      `/${wanted.kind}${seconds}`,
      async (part) => {
        id += part.toString("utf8");
        return Promise.resolve();
      },
      { headers, silence: dumpMs },
    );
    await receive(wanted.file, open, { forward, headers, path: `/results/${id.trim()}/` });
  } catch (error) {
    if (error instanceof UserError) throw error;
    const what =
      error instanceof Refusal ? "" : `Pod ${pod.metadata.name} sent no complete answer: `;
    throw new UserError(`${what}${messageOf(error)}.`);
  } finally {
    forward.close();
  }
}

/** Writes a result of the service to a file, and tells the service to delete the result. */
async function receive(
  file: string,
  open: () => Promise<Forward>,
  how: OutputOptions,
): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.part`;
  // Only the user of this process may read the file, because the file may contain data of
  // customers.
  rmSync(part, { force: true });
  writeFileSync(part, "", { mode: 0o600 });
  const output = new Output(open, async (bytes) => appendFile(part, bytes), how);
  const aborted = new AbortController();
  const stop = new Stop();
  try {
    await stop.unless(output.receive(aborted.signal));
    await output.confirm();
    renameSync(part, file);
    console.error(`${file}: ${String(output.bytes)} bytes`);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    // After this request, the service stops a recording that still runs, and deletes the result.
    await output.confirm();
    console.error("Stopped. The service has deleted the result.");
    process.exitCode = 130;
  } finally {
    aborted.abort();
    stop.done();
    output.close();
    if (existsSync(part)) rmSync(part);
  }
}

/**
 * @throws UserError if the stack has no pod with this name, or if `name` is undefined and no pod of
 * the service is ready
 */
async function podOf(target: Target, name: string | undefined): Promise<ServicePod> {
  const { cluster, identity, namespace, track } = target;
  // The name may be the name of a twin, and a twin has the labels of a job. So with a name, the
  // function searches all pods of the stack.
  const labels =
    name === undefined ? trackSelector(identity, "web", track) : instanceSelector(identity);
  const pods = await list<ServicePod>(cluster, "pods", [
    "--namespace",
    namespace,
    ...withLabels(labels),
  ]);
  const found = pods.find(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      (name === undefined ? isReady(status) : metadata.name === name),
  );
  if (found !== undefined) return found;
  throw new UserError(
    name === undefined
      ? `Namespace ${namespace} has no ready pod of the service. To choose a pod that is not ready, write --pod NAME. To list the pods: kubectl -n ${namespace} get pods`
      : `Namespace ${namespace} has no pod "${name}" of this stack. To list the pods: kubectl -n ${namespace} get pods`,
  );
}

const isReady = ({ conditions = [] }: ServicePod["status"]): boolean =>
  conditions.some(({ status, type }) => type === "Ready" && status === "True");

/** @throws UserError if the release of a pod is too old to have diagnostics */
function portOf({ metadata, spec }: ServicePod): number {
  const variables = spec.containers.flatMap(({ env = [] }) => env);
  const value = variables.find(({ name }) => name === diagnostics.variables.port)?.value;
  if (value !== undefined) return Number(value);
  throw new UserError(
    `Pod ${metadata.name} has no diagnostics, because its release is too old. Deploy the stack first, or use a twin.`,
  );
}
