import type { Labels } from "../labels";

/** Only the fields that are read. */
export interface ReplicaSet {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Labels;
    readonly name: string;
  };
}

/** The label that the pods of one ReplicaSet have. */
export const hashLabel = "pod-template-hash";

/** Of each Deployment, the hash of the ReplicaSet with its newest release. */
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
