import { foreignLabel, labels } from "../../components/conventions/labels";
import { environments } from "../../environments";
import { UserError } from "../../lib/errors";
import { type Cluster, isForbidden, list } from "../clients/kubectl";
import { type Key, type LiveObject, find, isSame } from "../pulumi/live-objects";
import type { DeployTarget } from "./target";

/** Largest number of objects that an error names. */
const mostNamed = 10;

/**
 * Checks whether an object that a deploy will create already exists and belongs to someone else.
 * The deploy would change such an object, or fail during the update because of a conflict. If the
 * role has no permissions in the namespace yet, this check finds nothing. For stacks that delete
 * their namespace, {@link assertNamespaceNotShared} checks the whole namespace.
 *
 * @throws UserError that names at most ten of these objects, and the tool that created each object
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
  refuse(
    "The deploy would create these objects, but they already exist and do not belong to this stack",
    foreign,
  );
}

/** Kinds of objects that the role of a review stack may list. */
const kinds = [
  ...["configmaps", "cronjobs", "deployments", "ingresses", "jobs", "persistentvolumeclaims"],
  ...["pods", "podtemplates", "secrets", "serviceaccounts", "services", "statefulsets"],
];

/** Objects that Kubernetes itself creates in each namespace. */
const ofKubernetes = ["ConfigMap kube-root-ca.crt", "ServiceAccount default"];

/**
 * Checks before the first successful update whether the namespace contains objects that do not
 * belong to the stack. Does nothing for a stack that does not delete its namespace. If the
 * namespace exists and has the stack's labels, the update adopts the namespace. A removal of the
 * stack would then also delete the objects of other people.
 *
 * @throws UserError that names at most ten of the objects that do not belong to the stack
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
      // If an object has an owner, Kubernetes deletes the object together with the owner. So this
      // check names only the owner.
      ownerReferences.length === 0 &&
      foreignLabel(labels, wanted) !== undefined &&
      !ofKubernetes.includes(`${kind} ${name}`),
  );
  refuse(
    `These objects in namespace "${namespace}" do not belong to this stack, and a removal of the stack would delete them`,
    foreign.map((object) => `${titleOf(object)}: ${madeBy(object)}`),
  );
}

/**
 * Lists the objects of the {@link kinds} in a namespace. Empty if the namespace does not exist, or
 * if the role has no permissions in the namespace yet. The first update of a branch creates a
 * RoleBinding in the namespace. This RoleBinding gives the role its permissions.
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
      'Nothing was changed: remove these objects, or choose another namespace with the setting "namespace".',
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

/**
 * Returns a text with the tool that created an object. `managedFields` does not contain the name of
 * a person.
 */
function madeBy({ metadata: { managedFields = [] } }: LiveObject): string {
  const [first] = [...managedFields].sort((a, b) => (a.time ?? "").localeCompare(b.time ?? ""));
  return first === undefined
    ? "the cluster does not say which tool made it"
    : `made by ${first.manager}`;
}
