import type { Access } from "../components/conventions/ambient-kubeconfig";
import type { FailedMount } from "../components/conventions/rollout/obstacles";
import type { PodFacts } from "../components/conventions/rollout/pod-status";
import { find, get } from "./cluster";
import type { DeploymentFacts, Rollouts } from "./rollout";

/** The annotation with which a Deployment and its ReplicaSets number the releases. */
const revision = "deployment.kubernetes.io/revision";
/** The label that the pods of one ReplicaSet have. */
const hash = "pod-template-hash";

interface Metadata {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly name: string;
}

interface Selecting extends DeploymentFacts {
  readonly metadata: DeploymentFacts["metadata"] & Metadata;
  readonly spec: DeploymentFacts["spec"] & {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  };
}

interface List<Item> {
  readonly items: readonly Item[];
}

interface Event {
  readonly involvedObject: { readonly name: string };
  readonly message?: string;
}

/** What is missing must be there first: other failed mounts are slow disks, and end. */
const missing = /not found|non-existent/;

/** Reads the rollouts of a namespace. */
export function readRollouts({
  namespace,
  ...access
}: Access & { readonly namespace: string }): Rollouts {
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const core = `/api/v1/namespaces/${namespace}`;
  const deployment = async (name: string): Promise<Selecting | undefined> =>
    find(access, `${apps}/deployments/${name}`);
  const list = async <Item>(path: string, query: Readonly<Record<string, string>>) => {
    const { items } = (await get(
      access,
      `${path}?${new URLSearchParams(query).toString()}`,
    )) as List<Item>;
    return items;
  };
  const labelSelector = (labels: Readonly<Record<string, string>>): string =>
    Object.entries(labels)
      .map((pair) => pair.join("="))
      .join(",");

  return {
    deployment,
    newPods: async (name) => {
      const none = { failedMounts: [], pods: [] };
      const found = await deployment(name);
      if (found === undefined) return none;
      const { matchLabels } = found.spec.selector;
      const replicaSets = await list<{ readonly metadata: Metadata }>(`${apps}/replicasets`, {
        labelSelector: labelSelector(matchLabels),
      });
      const newest = replicaSets.find(
        ({ metadata }) =>
          metadata.name.startsWith(`${name}-`) &&
          metadata.annotations?.[revision] === found.metadata.annotations?.[revision],
      );
      const label = newest?.metadata.labels?.[hash];
      if (label === undefined) return none;
      const [pods, events] = await Promise.all([
        list<PodFacts>(`${core}/pods`, {
          labelSelector: labelSelector({ ...matchLabels, [hash]: label }),
        }),
        list<Event>(`${core}/events`, { fieldSelector: "reason=FailedMount" }),
      ]);
      const failedMounts = events.flatMap(({ involvedObject, message = "" }): FailedMount[] =>
        missing.test(message) ? [{ message, pod: involvedObject.name }] : [],
      );
      return { failedMounts, pods };
    },
  };
}
