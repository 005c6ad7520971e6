import { type ChildProcess, spawn } from "node:child_process";
import { labelQuery } from "../../components/conventions/labels";
import type { Condition, PodStatus } from "../../components/conventions/rollout/pod-status";
import { CommandError, command } from "../../lib/command";

/**
 * Runs kubectl on one cluster, and returns the output of kubectl. The timeout is in milliseconds,
 * by default 3 minutes. kubectl reads `input` from standard input if the arguments contain
 * `--filename -`.
 */
export type Kubectl = (
  args: readonly string[],
  timeout?: number,
  input?: string,
) => Promise<string>;

/** Starts kubectl for one cluster, and does not wait until kubectl ends. */
export type Start = (args: readonly string[]) => ChildProcess;

/** A cluster that has answered a first request, and kubectl for this cluster. */
export interface Cluster {
  /** Annotations of the namespace `kube-system` at the time of the first request. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly kubectl: Kubectl;
  /** UID of the namespace `kube-system`, which identifies the cluster. */
  readonly uid: string;
}

/** A cluster, with a function that starts a long-running kubectl process. */
export interface StartingCluster extends Cluster {
  readonly start: Start;
}

/**
 * Returns a function that starts kubectl for one cluster. kubectl does not receive the signals of
 * the terminal, such as Ctrl-C, because the caller must decide when kubectl ends.
 *
 * @param access options that choose the cluster, such as `--context`
 */
export function startFor(access: readonly string[], env: Readonly<Record<string, string>>): Start {
  return (args) =>
    spawn("kubectl", [...access, ...args], {
      detached: true,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
}

/**
 * Returns a function that runs kubectl on one cluster.
 *
 * @param access options that choose the cluster, such as `--context`
 */
export function kubectlFor(
  access: readonly string[],
  env: Readonly<Record<string, string>>,
): Kubectl {
  return async (args, timeout = 180_000, input) =>
    command("kubectl", [...access, ...args], {
      env,
      timeout,
      ...(input !== undefined && { input }),
    });
}

/** Whether kubectl failed because the role does not have the necessary permission. */
export function isForbidden(error: unknown): boolean {
  return error instanceof CommandError && /\(Forbidden\)/.test(error.output);
}

/**
 * Lists the objects of one kind, or of several kinds, such as `deployments,cronjobs`. `which`
 * contains kubectl's options that limit the list, such as `--namespace` or `--selector`.
 */
export async function list<Item>(
  { kubectl }: Pick<Cluster, "kubectl">,
  kind: string,
  which: readonly string[],
  timeout = 30_000,
): Promise<readonly Item[]> {
  const answer = await kubectl(["get", kind, ...which, "--output", "json"], timeout);
  return (JSON.parse(answer) as { readonly items: readonly Item[] }).items;
}

/** Returns kubectl's options that select the objects with these labels. */
export function withLabels(labels: Readonly<Record<string, string>>): readonly string[] {
  return ["--selector", labelQuery(labels)];
}

/** Metadata of a Kubernetes object: only the fields that the commands read. */
interface Metadata {
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly name: string;
}

export interface Deployment {
  readonly metadata: Metadata;
  readonly spec: { readonly template: Pick<Pod, "spec"> };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface Pod {
  readonly metadata: Metadata;
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: PodStatus & { readonly hostIP?: string; readonly podIP?: string };
}
