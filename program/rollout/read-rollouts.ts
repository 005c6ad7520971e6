import type { Access } from "../../components/conventions/ambient-kubeconfig";
import { labelQuery } from "../../components/conventions/labels";
import {
  type ReplicaSet,
  hashLabel,
  newestHashes,
} from "../../components/conventions/rollout/newest";
import type { PodFacts } from "../../components/conventions/rollout/pod-status";
import { find, get, getText } from "../cluster";
import type { JobReader } from "./migration";
import type { Rollouts } from "./rollout";

interface Event {
  readonly involvedObject: { readonly name: string; readonly uid?: string };
  readonly message?: string;
}

/**
 * Matches the message about a volume that Kubernetes cannot mount because an object does not exist.
 * A mount that fails for another reason, such as a slow disk, may succeed later.
 */
const missing = /not found|non-existent/;

/** Returns the functions that read the Deployments and Jobs of a namespace, and their pods. */
export function readRollouts({
  namespace,
  ...access
}: Access & { readonly namespace: string }): JobReader & Rollouts {
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const core = `/api/v1/namespaces/${namespace}`;
  const batch = `/apis/batch/v1/namespaces/${namespace}`;
  const list = async <Item>(path: string, query: Readonly<Record<string, string>>) => {
    const answer = await get(access, `${path}?${new URLSearchParams(query).toString()}`);
    return (answer as { readonly items: readonly Item[] }).items;
  };
  const failedMounts = async () => {
    const events = await list<Event>(`${core}/events`, { fieldSelector: "reason=FailedMount" });
    return events
      .map(({ involvedObject, message = "" }) => ({ message, pod: involvedObject.name }))
      .filter(({ message }) => missing.test(message));
  };

  return {
    deployment: async (name) => find(access, `${apps}/deployments/${name}`),
    job: async (name) => find(access, `${batch}/jobs/${name}`),
    jobPods: async ({ metadata: { name, uid } }) => {
      const [pods, mounts, refusals] = await Promise.all([
        list<PodFacts>(`${core}/pods`, {
          labelSelector: labelQuery({ "batch.kubernetes.io/job-name": name }),
        }),
        failedMounts(),
        list<Event>(`${core}/events`, { fieldSelector: "reason=FailedCreate" }),
      ]);
      const refused = refusals
        .filter(({ involvedObject }) => involvedObject.uid === uid)
        .at(-1)?.message;
      return { failedMounts: mounts, pods, refused };
    },
    log: async (pod, container, lines) => {
      const query = new URLSearchParams({ container, tailLines: String(lines) }).toString();
      const text = await getText(access, `${core}/pods/${pod}/log?${query}`);
      return text.split("\n");
    },
    newPods: async ({ spec: { selector } }) => {
      const { matchLabels } = selector;
      const replicaSets = await list<ReplicaSet>(`${apps}/replicasets`, {
        labelSelector: labelQuery(matchLabels),
      });
      // These ReplicaSets belong to one Deployment, so `newestHashes` returns at most one hash.
      const [hash] = newestHashes(replicaSets);
      if (hash === undefined) return { failedMounts: [], pods: [] };
      const [pods, mounts] = await Promise.all([
        list<PodFacts>(`${core}/pods`, {
          labelSelector: labelQuery({ ...matchLabels, [hashLabel]: hash }),
        }),
        failedMounts(),
      ]);
      return { failedMounts: mounts, pods };
    },
  };
}
