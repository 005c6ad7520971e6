import { Writable } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import { type Identity, foreignLabel, labels } from "../../../components/conventions/labels";
import { environments } from "../../../environments";
import type { Settings } from "../../../settings";
import { type Cluster, isForbidden } from "../../clients/kubectl";
import { UserError } from "../../../lib/errors";
import { type Step, errorsIn, readEvents } from "../events";
import { drawnManager, forcing } from "../field-managers";
import {
  type Kind,
  type Listing,
  type LiveObject,
  type Seen,
  find,
  isSame,
  keyOf,
  listIn,
  readableKinds,
} from "../live-objects";
import { runPreview } from "../run-preview";
import { type Workspace, withEnv } from "../run-pulumi";
import type { StateResource } from "../stacks";

// Updates of stack `local` and of review stacks write the state only at their end (ADR 0032). If
// someone kills such an update, the state does not contain what the update has done. The functions
// in this file find out from the cluster what the update has done.

type Fields = Readonly<Record<string, unknown>>;

/** The namespace that belongs to one stack alone, and the identity of the stack's objects. */
export interface OwnNamespace {
  readonly identity: Identity;
  readonly namespace: string;
}

/** Returns the stack's own namespace. Undefined if the namespace existed before the stack. */
export function ownNamespace({
  environment,
  identity,
  namespace,
}: Pick<Settings, "environment" | "identity" | "namespace">): OwnNamespace | undefined {
  return environments[environment].data === "own" ? { identity, namespace } : undefined;
}

/**
 * Kinds of objects that the program creates in the stack's own namespace. The list does not contain
 * RoleBindings, because a review job must not list RoleBindings.
 */
export const kinds: readonly Kind[] = [
  ...readableKinds,
  { apiVersion: "batch/v1", kind: "Job" },
  { apiVersion: "v1", kind: "Secret" },
];

/**
 * Reads the namespace and the objects of the {@link kinds} in the namespace. Undefined if the role
 * has no permission to list these objects: such a role cannot have created the objects.
 */
export async function objectsIn(
  { namespace }: OwnNamespace,
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly LiveObject[] | undefined> {
  const own = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  try {
    const [found, objects] = await Promise.all([
      find([own], cluster),
      listIn(namespace, kinds, cluster),
    ]);
    return [...found, ...objects];
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/**
 * Returns the objects that an update of the stack has created and that the state does not contain.
 */
export function missingIn(
  resources: readonly StateResource[],
  objects: readonly LiveObject[],
  { identity }: OwnNamespace,
): readonly LiveObject[] {
  const wanted = labels(identity, "namespace");
  const known = resources.filter(isObject).map(keyOf);
  return objects.filter(
    (object) =>
      managerOf(object) !== undefined &&
      foreignLabel(object.metadata.labels ?? {}, wanted) === undefined &&
      !known.some((key) => isSame(key, object)),
  );
}

/**
 * Whether a review job may delete an object of this kind. The other objects stay until Kubernetes
 * deletes the namespace.
 */
export const isDeletable = ({ kind }: LiveObject): boolean =>
  !["LimitRange", "NetworkPolicy", "ResourceQuota"].includes(kind);

/** Returns the field manager of the Pulumi update that applied the object last. */
export function managerOf({ metadata: { managedFields = [] } }: LiveObject): string | undefined {
  return managedFields
    .filter((one) => one.operation === "Apply" && drawnManager.test(one.manager))
    .sort((one, other) => (one.time ?? "").localeCompare(other.time ?? ""))
    .at(-1)?.manager;
}

/**
 * A resource whose object an update has changed, although the state does not contain this change.
 */
export interface ChangedLater {
  readonly object: LiveObject;
  readonly resource: StateResource;
}

/**
 * Returns the resources whose objects an update has changed or replaced, although the state does
 * not contain this change. The function recognizes such an object by its UID, or by the time and
 * the result of the last change by the resource's field manager.
 */
export function changedLater({ objects, resources }: Seen): readonly ChangedLater[] {
  return resources.flatMap((resource) => {
    const object = objects.find((one) => isSame(one, keyOf(resource)));
    const recorded = resource.outputs as (LiveObject & Fields) | undefined;
    if (object === undefined || recorded?.metadata === undefined) return [];
    const { uid } = recorded.metadata;
    const isReplaced = uid !== undefined && uid !== object.metadata.uid;
    const timeIn = ({ managedFields = [] }: LiveObject["metadata"]): string =>
      managedFields.find(
        (one) =>
          one.manager === recorded["__fieldManager"] &&
          one.operation === "Apply" &&
          !one.subresource,
      )?.time ?? "";
    const [before, now] = [timeIn(recorded.metadata), timeIn(object.metadata)];
    const isChanged = before !== "" && before < now && !hasContentOf(object, recorded);
    return isReplaced || isChanged ? [{ object, resource }] : [];
  });
}

/** Matches annotations that Kubernetes or kubectl writes, such as the revision of a Deployment. */
const ofKubernetes = /^(?:deployment|kubectl)\.kubernetes\.io\//;

/**
 * Whether an object in the cluster has the content of the recorded object. If a command has undone
 * a change in the cluster, the content is the same, although the field manager has a newer time.
 */
function hasContentOf(object: LiveObject, recorded: LiveObject & Fields): boolean {
  const contentOf = (one: Fields): Fields => {
    const { annotations = {}, labels = {} } = one["metadata"] as Partial<
      Record<"annotations" | "labels", Fields>
    >;
    const fields = Object.entries(one).filter(
      ([name]) =>
        !name.startsWith("__") && !["apiVersion", "kind", "metadata", "status"].includes(name),
    );
    const written = Object.entries(annotations).filter(([name]) => !ofKubernetes.test(name));
    return { annotations: Object.fromEntries(written), fields: Object.fromEntries(fields), labels };
  };
  return isDeepStrictEqual(contentOf(object as unknown as Fields), contentOf(recorded));
}

/**
 * Runs a preview, and returns all its steps except deletions.
 *
 * @throws UserError if the preview fails.
 */
export async function plannedSteps(stack: string, workspace: Workspace): Promise<readonly Step[]> {
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const run = { stack, to: nowhere, workspace: withEnv(workspace, forcing) };
  const { exitCode, log, printed } = await runPreview(run);
  if (exitCode !== 0) {
    throw new UserError(
      "An earlier update was killed. To find out what it has done, this command runs a preview, but the preview failed. Fix the cause and run the command again.\n" +
        errorsIn(printed),
    );
  }
  return readEvents(log).steps.filter(
    ({ new: planned, op }) => planned && !op.startsWith("delete"),
  );
}

/**
 * Reads the RoleBindings that the steps declare. A review job may read a RoleBinding by its name,
 * but must not list RoleBindings.
 */
export async function roleBindings(
  steps: readonly Step[],
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly LiveObject[]> {
  const declared = steps.flatMap(({ new: planned }) =>
    planned?.type.endsWith(":RoleBinding") ? [keyOf(planned)] : [],
  );
  return declared.length === 0 ? [] : find(declared, cluster);
}

/** Whether the resource's object is in the listed namespace and has one of the {@link kinds}. */
export function isListed(resource: StateResource, { namespace }: Listing): boolean {
  if (!isObject(resource)) return false;
  const key = keyOf(resource);
  const isKind = kinds.some((one) => one.kind === key.kind && one.apiVersion === key.apiVersion);
  return isKind && key.metadata.namespace === namespace;
}

/** Whether a resource is a Kubernetes object. */
export function isObject({ inputs, type }: Pick<StateResource, "inputs" | "type">): boolean {
  return type.startsWith("kubernetes:") && typeof inputs?.["kind"] === "string";
}
