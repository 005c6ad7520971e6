import type { Labels } from "../labels";

/** The fields of a ReplicaSet that this file reads. */
export interface ReplicaSet {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Labels;
    readonly name: string;
  };
}

/** Label that has the same value in all pods of one ReplicaSet. */
export const hashLabel = "pod-template-hash";

/**
 * Returns, for each Deployment, the pod template hash of the ReplicaSet with the highest revision.
 */
export function newestHashes(replicaSets: readonly ReplicaSet[]): ReadonlySet<string> {
  const newest = new Map<string, { readonly hash: string; readonly revision: number }>();
  for (const { metadata } of replicaSets) {
    const hash = metadata.labels?.[hashLabel];
    if (hash === undefined) continue;
    const deployment = metadata.name.slice(0, -hash.length);
    const revision = Number(metadata.annotations?.["deployment.kubernetes.io/revision"]);
    if (revision > (newest.get(deployment)?.revision ?? -1)) {
      newest.set(deployment, { hash, revision });
    }
  }
  return new Set([...newest.values()].map(({ hash }) => hash));
}
