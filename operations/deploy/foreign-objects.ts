import { foreignLabel, labels } from "../../components/conventions/labels";
import { environments } from "../../environments";
import { UserError } from "../../lib/errors";
import { type Cluster, isForbidden, list } from "../clients/kubectl";
import { type Key, type LiveObject, find, isSame } from "../pulumi/live-objects";
import type { DeployTarget } from "./target";

/** Largest number of objects that an error names. */
const mostNamed = 10;

/**
 * Checks the objects that a deploy would create. If one exists and belongs to someone else, the
 * deploy would change it, or stop in the middle because of a conflict. A branch that has no rights
 * in its namespace yet cannot ask: {@link assertNamespaceNotShared} is for its stacks.
 *
 * @throws UserError that names each object, and who made it
 */
export async function assertNoneExists(
  created: readonly Key[],
  cluster: Pick<Cluster, "kubectl">,
): Promise<void> {
  if (created.length === 0) return;
  const found = await find(created, cluster).catch((error: unknown) => {
    if (isForbidden(error)) return [];
    throw error;
  });
  const foreign = found.flatMap((object) => {
    const wanted = created.find((one) => isSame(one, object))?.metadata.labels;
    const label = wanted && foreignLabel(object.metadata.labels ?? {}, wanted);
    return label === undefined ? [] : [`${titleOf(object)}: ${whoseLabel(object, label)}`];
  });
  refuse("These objects would be created, but exist and do not belong to this stack", foreign);
}

/** Kinds that a review stack's role may list. */
const kinds = [
  ...["configmaps", "cronjobs", "deployments", "ingresses", "jobs", "persistentvolumeclaims"],
  ...["pods", "secrets", "serviceaccounts", "services", "statefulsets"],
];

/** What Kubernetes puts into each namespace. */
const ofKubernetes = ["ConfigMap kube-root-ca.crt", "ServiceAccount default"];

/**
 * Checks the namespace of a stack that deletes its namespace, before the first successful update.
 * If the namespace exists with the stack's labels, the update takes it over. Then a removal of the
 * stack would also delete what others have put into it.
 *
 * @throws UserError that names each object which is not of this stack
 */
export async function assertNamespaceNotShared({
  cluster,
  last,
  settings: { environment, identity, namespace },
}: Pick<DeployTarget, "cluster" | "last" | "settings">): Promise<void> {
  if (environments[environment].data !== "own" || last?.outputs.clusterUid !== undefined) return;
  const wanted = labels(identity, "namespace");
  const foreign = (await objectsIn(namespace, cluster)).filter(
    ({ kind, metadata: { labels = {}, name, ownerReferences = [] } }) =>
      // An object with an owner goes with it.
      ownerReferences.length === 0 &&
      foreignLabel(labels, wanted) !== undefined &&
      !ofKubernetes.includes(`${kind} ${name}`),
  );
  refuse(
    `These objects in namespace "${namespace}" do not belong to this stack, and its removal would delete them`,
    foreign.map((object) => `${titleOf(object)}: ${madeBy(object)}`),
  );
}

/**
 * Empty if the namespace does not exist, or if this role has no rights in it yet: a branch gets
 * them by a RoleBinding in the namespace, which its first update creates.
 */
async function objectsIn(
  namespace: string,
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly LiveObject[]> {
  try {
    const which = ["--namespace", namespace, "--show-managed-fields"];
    return await list<LiveObject>(cluster, kinds.join(","), which);
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

function refuse(what: string, objects: readonly string[]): void {
  if (objects.length === 0) return;
  const more = objects.length - mostNamed;
  throw new UserError(
    [
      `${what}:`,
      ...objects.slice(0, mostNamed).map((line) => `  ${line}`),
      ...(more > 0 ? [`  and ${String(more)} more`] : []),
      'Nothing was changed: remove them, or choose another namespace with the setting "namespace".',
    ].join("\n"),
  );
}

function titleOf({ kind, metadata: { name, namespace } }: LiveObject): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${name} in ${namespace}`;
}

function whoseLabel(object: LiveObject, label: string): string {
  const value = object.metadata.labels?.[label];
  const says = value === undefined ? `has no label ${label}` : `its label ${label} is "${value}"`;
  return `${says}; ${madeBy(object)}`;
}

/** The tool that made it: `managedFields` names no person. */
function madeBy({ metadata: { managedFields = [] } }: LiveObject): string {
  const [first] = [...managedFields].sort((a, b) => (a.time ?? "").localeCompare(b.time ?? ""));
  return first === undefined ? "the cluster does not name who made it" : `made by ${first.manager}`;
}
