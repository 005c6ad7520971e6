import { labelQuery } from "../../components/conventions/labels";
import type { Condition, PodStatus } from "../../components/conventions/rollout/pod-status";
import { CommandError, command } from "../../lib/command";

/** Runs kubectl on one cluster; by default for at most 3 minutes. Input is for `--filename -`. */
export type Kubectl = (
  args: readonly string[],
  timeout?: number,
  input?: string,
) => Promise<string>;

/** A cluster that has answered. */
export interface Cluster {
  readonly kubectl: Kubectl;
  /** UID of `kube-system`. */
  readonly uid: string;
}

/** @param access options that choose the cluster, such as `--context` */
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

/** Whether the role may not do what it asked for. */
export function isForbidden(error: unknown): boolean {
  return error instanceof CommandError && /\(Forbidden\)/.test(error.output);
}

/** All objects of a kind that match the options. */
export async function list<Item>(
  { kubectl }: Pick<Cluster, "kubectl">,
  kind: string,
  which: readonly string[],
  timeout = 30_000,
): Promise<readonly Item[]> {
  const answer = await kubectl(["get", kind, ...which, "--output", "json"], timeout);
  return (JSON.parse(answer) as { readonly items: readonly Item[] }).items;
}

/** Options for the objects with these labels. */
export function withLabels(labels: Readonly<Record<string, string>>): readonly string[] {
  return ["--selector", labelQuery(labels)];
}

/** Parts of Kubernetes objects: only the fields that are read. */
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
