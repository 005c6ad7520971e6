import { command } from "../../lib/command";

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
  return [
    "--selector",
    Object.entries(labels)
      .map((pair) => pair.join("="))
      .join(","),
  ];
}

/** Parts of Kubernetes objects: only the fields that are read. */
interface Condition {
  readonly message?: string;
  readonly status: string;
  readonly type: string;
}

interface ContainerState {
  readonly running?: object;
  readonly terminated?: { readonly exitCode: number; readonly reason?: string };
  readonly waiting?: { readonly message?: string; readonly reason?: string };
}

export interface ContainerStatus {
  readonly lastState?: ContainerState;
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
}

interface Metadata {
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
  readonly status: {
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly hostIP?: string;
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly phase: string;
    readonly podIP?: string;
  };
}

export const containersOf = ({ status }: Pick<Pod, "status">): readonly ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
];
