import { dateOf, moment } from "../../lib/time";
import { type Cluster, isForbidden, list } from "../clients/kubectl";

/** A pod: only the fields that this file reads. */
interface Pod {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly name: string;
  };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly Volume[];
  };
  readonly status: { readonly phase?: string; readonly startTime?: string };
}

interface Container {
  readonly env?: readonly { readonly valueFrom?: { readonly secretKeyRef?: Named } }[];
  readonly envFrom?: readonly { readonly secretRef?: Named }[];
}

interface Volume {
  readonly projected?: { readonly sources?: readonly { readonly secret?: Named }[] };
  readonly secret?: { readonly secretName?: string };
}

interface Named {
  readonly name?: string;
}

/**
 * Output format for kubectl: for each Secret, its name and the times of its creation and its
 * changes. The output does not contain the Secret's data.
 */
const times =
  'jsonpath={range .items[*]}{.metadata.name}{" "}{.metadata.creationTimestamp}{" "}{.metadata.managedFields[*].time}{"\\n"}{end}';

/**
 * Finds running pods that use a Secret and started before the Secret's last change. Returns one
 * line for each component and Secret. In these pods, environment variables from the Secret have the
 * old value. A program that reads a mounted file only when the program starts has the old value
 * too. Empty if the role has no permission to read Secrets: the roles of CI have this permission
 * only in review stacks.
 */
export async function olderThanSecrets(
  namespace: string,
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly string[]> {
  const where = ["--namespace", namespace];
  const how = [...where, "--show-managed-fields", "--output", times];
  try {
    const answer = await cluster.kubectl(["get", "secrets", ...how], 30_000);
    const changed = changesIn(answer);
    // If the namespace has no Secrets, the function does not read the pods.
    return changed.size === 0 ? [] : linesOf(await list<Pod>(cluster, "pods", where), changed);
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

/** The time of the last change to each Secret, by the Secret's name. */
function changesIn(answer: string): ReadonlyMap<string, Date> {
  return new Map(
    answer.split("\n").flatMap((line) => {
      const [name = "", ...at] = line.split(" ");
      const last = dateOf(at.sort().at(-1));
      return last === undefined ? [] : [[name, last] as const];
    }),
  );
}

function linesOf(pods: readonly Pod[], changed: ReadonlyMap<string, Date>): readonly string[] {
  const older = new Map<string, number>();
  for (const pod of pods.filter(({ status }) => status.phase === "Running")) {
    const started = dateOf(pod.status.startTime);
    const component = pod.metadata.labels?.["app.kubernetes.io/component"] ?? pod.metadata.name;
    for (const name of secretsOf(pod)) {
      const at = changed.get(name);
      if (at === undefined || started === undefined || at <= started) continue;
      const key = `${component} started before Secret ${name} was changed (${moment(at)})`;
      older.set(key, (older.get(key) ?? 0) + 1);
    }
  }
  return [...older].map(([what, n]) => {
    const count = n === 1 ? "1 pod" : `${String(n)} pods`;
    return `${count} of component ${what}, and may have the Secret's old values until kubectl rollout restart or the next release`;
  });
}

/** Returns the names of the Secrets that a pod uses, without duplicates. */
function secretsOf({ spec }: Pod): ReadonlySet<string> {
  const { containers, initContainers = [], volumes = [] } = spec;
  const names = [
    ...[...containers, ...initContainers].flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
    ...volumes.flatMap(({ projected, secret }) => [
      secret?.secretName,
      ...(projected?.sources ?? []).map((source) => source.secret?.name),
    ]),
  ];
  return new Set(names.filter((name) => name !== undefined));
}
