import { setTimeout as sleep } from "node:timers/promises";
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { cheap } from "../../components/conventions/expected-error";
import { isNoise } from "../../components/conventions/rollout/log-noise";
import { type NewPods, Obstacles } from "../../components/conventions/rollout/obstacles";
import {
  type PodFacts,
  containersOf,
  podIssues,
} from "../../components/conventions/rollout/pod-status";
import { type Pace, patiently, usualPace } from "./patience";

/** The fields of a Job that describe its progress. */
export interface JobFacts {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly activeDeadlineSeconds?: number };
  readonly status?: {
    readonly conditions?: readonly {
      readonly message?: string;
      readonly reason?: string;
      readonly status: string;
      readonly type: string;
    }[];
    readonly startTime?: string;
  };
}

/**
 * Functions that read the Job of a long migration, its pods and its logs. Tests pass their own
 * functions.
 */
export interface JobReader {
  /** Reads a Job by its name. Undefined if the Job does not exist. */
  readonly job: (name: string) => Promise<JobFacts | undefined>;
  /**
   * Reads the pods of a Job, their failed mounts, and the reason if Kubernetes refuses to create a
   * pod.
   */
  readonly jobPods: (job: JobFacts) => Promise<NewPods>;
  /** Reads the last lines of a container's log. */
  readonly log: (pod: string, container: string, lines: number) => Promise<readonly string[]>;
}

/** Maximum number of log lines in the message about a failed migration. */
const failureLines = 5;
/** Maximum length of a log line in a message, in characters. */
const longestLine = 300;

/**
 * Returns the condition of a Job that has the given type and the status `True`. Undefined if the
 * Job has no such condition.
 */
const conditionOf = ({ status }: JobFacts, wanted: string) =>
  status?.conditions?.find(({ status, type }) => type === wanted && status === "True");

/**
 * Returns the field `message` of a log line in JSON. If the line has no such field, returns the
 * line. The returned text has at most `longestLine` characters.
 */
function messageOf(line: string): string {
  let text = line;
  try {
    const { message } = JSON.parse(line) as { readonly message?: unknown };
    if (typeof message === "string") text = message;
  } catch {
    // The line is not JSON, so the whole line is the message.
  }
  return text.trim().slice(0, longestLine);
}

const age = ({ metadata }: PodFacts): number => Date.parse(metadata.creationTimestamp ?? "") || 0;
const newestFirst = (pods: readonly PodFacts[]): readonly PodFacts[] =>
  [...pods].sort((one, other) => age(other) - age(one));

const isRunning = (pod: PodFacts): boolean =>
  containersOf(pod).some(({ state }) => state?.running !== undefined);

/**
 * Returns the UID of a Job that the update must replace, because the Job has failed or none of its
 * containers runs. Undefined if there is no Job, or if the Job has succeeded or one of its
 * containers runs.
 */
export async function jobToReplace(
  name: string,
  reader: Pick<JobReader, "job" | "jobPods">,
): Promise<string | undefined> {
  const facts = await reader.job(name);
  if (facts === undefined || conditionOf(facts, "Complete") !== undefined) return undefined;
  if (conditionOf(facts, "Failed") === undefined) {
    const { pods } = await reader.jobPods(facts);
    if (pods.some(isRunning)) return undefined;
  }
  return facts.metadata.uid;
}

/**
 * Returns a function that waits for a Job. That function returns the Job as an output that becomes
 * known when the Job has succeeded. While the Job runs, that function prints the newest line of the
 * migration's log. As soon as the Job has failed or cannot start, that function throws an error
 * with the reason.
 *
 * @throws pulumi.RunError if the Job fails, if its pods cannot start, or if someone has deleted the
 * Job.
 */
export const migrated =
  (reader: JobReader, pace = usualPace) =>
  (job: k8s.batch.v1.Job): pulumi.Output<k8s.batch.v1.Job> => {
    // A preview starts no Job, so there is nothing to wait for.
    if (pulumi.runtime.isDryRun()) return job.urn.apply(() => job);
    return pulumi.all([job.metadata, job.status]).apply(async ([metadata, status]) => {
      // The API server gives every Job a status. A Job without a status comes from the mocks of a
      // test, or from an update with `--target` that leaves the Job out.
      if ((status as object | undefined) !== undefined) {
        const say = async (text: string): Promise<void> =>
          pulumi.log.info(text, job, undefined, true);
        await complete(metadata.name, reader, pace, say).catch((error: unknown) => {
          throw cheap(error);
        });
      }
      return job;
    });
  };

/** Formats a number of seconds, such as `90 s` or `240 min`. */
const time = (seconds: number): string =>
  seconds < 120 ? `${String(Math.round(seconds))} s` : `${String(Math.round(seconds / 60))} min`;

/** Progress of the migration. */
interface Progress {
  /**
   * Message in the newest line of the log. Undefined if there is no line, or if this process cannot
   * read the log.
   */
  readonly line: string | undefined;
  readonly text: string;
}

async function complete(
  name: string,
  reader: JobReader,
  { pollMs, sayMs }: Pace,
  say: (text: string) => Promise<void>,
): Promise<void> {
  const began = Date.now();
  const obstacles = new Obstacles(began);
  let told: number | undefined;
  let last: string | undefined;
  const failed = (why: string): pulumi.RunError =>
    new pulumi.RunError(`The migration in Job "${name}" failed: ${why.replace(/\.$/, "")}.`);
  for (;;) {
    const facts = await patiently(async () => reader.job(name), pollMs);
    if (facts === undefined) {
      throw new pulumi.RunError(
        `Job "${name}" is in the state, but not in the cluster: someone has deleted it. ` +
          "Run pulumi refresh, and then this command again.",
      );
    }
    if (conditionOf(facts, "Complete") !== undefined) {
      if (told !== undefined) await say(`migrated in ${time((Date.now() - began) / 1000)}`);
      return;
    }
    const seen = await patiently(async () => reader.jobPods(facts), pollMs);
    const end = conditionOf(facts, "Failed");
    if (end !== undefined) throw failed(await failureOf(end.message ?? "", seen, reader, last));
    const doomed = obstacles.at(Date.now(), seen);
    if (doomed !== undefined) throw failed(doomed);
    const { line, text } = await progressOf(seen, reader);
    last = line ?? last;
    if (told === undefined || Date.now() - told >= sayMs) {
      told = Date.now();
      await say(`${text}, ${timeOf(facts)}`);
    }
    await sleep(pollMs);
  }
}

/** Returns a text that says how long the Job has run, and how long it may run. */
function timeOf({ spec, status }: JobFacts): string {
  const { activeDeadlineSeconds } = spec;
  const started = Date.parse(status?.startTime ?? "") || Date.now();
  // If the clock of the cluster is ahead of this machine's clock, the difference is negative.
  const since = time(Math.max(0, Date.now() - started) / 1000);
  if (activeDeadlineSeconds === undefined) return `for ${since}`;
  return `for ${since} of at most ${time(activeDeadlineSeconds)}`;
}

/**
 * Reads the last lines of the log of a pod's container. Returns no lines if the function cannot
 * read the log, for example because the user has no permission.
 */
async function logOf(
  pod: PodFacts,
  reader: Pick<JobReader, "log">,
  lines: number,
): Promise<readonly string[]> {
  const container = pod.status.containerStatuses?.[0]?.name;
  if (container === undefined) return [];
  const log = await reader.log(pod.metadata.name, container, lines).catch(() => []);
  return log.filter((line) => !isNoise(line));
}

async function progressOf(
  { pods, refused }: NewPods,
  reader: Pick<JobReader, "log">,
): Promise<Progress> {
  const [pod] = newestFirst(pods);
  if (pod === undefined) {
    return { line: undefined, text: refused === undefined ? "no pod yet" : `no pod: ${refused}` };
  }
  const line = (await logOf(pod, reader, 1)).at(-1);
  const message = line === undefined ? undefined : messageOf(line);
  const [issue] = podIssues(pod);
  return { line: message, text: issue ?? message ?? `Pod ${pod.metadata.name} starts` };
}

/**
 * Returns why the Job failed: the issue of the Job's newest pod, and the last lines of this pod's
 * log. If a Job exceeds its deadline, Kubernetes deletes the Job's pods. In this case, the function
 * returns `message` (the cause in the Job's status) and `last` (the last log line that this process
 * has read).
 */
async function failureOf(
  message: string,
  { pods }: NewPods,
  reader: Pick<JobReader, "log">,
  last: string | undefined,
): Promise<string> {
  const [pod] = newestFirst(pods);
  const lines = pod === undefined ? [] : await logOf(pod, reader, failureLines);
  const shown = lines.length > 0 ? lines.map(messageOf) : last === undefined ? [] : [last];
  const [issue = message] = pod === undefined ? [] : podIssues(pod);
  return [issue, ...shown.map((line) => `  ${line}`)].join("\n");
}
