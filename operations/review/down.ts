import { identityOf } from "../../settings/identity";
import { foreignLabel, labels } from "../../components/conventions/labels";
import { duration } from "../../lib/time";
import { UserError } from "../../lib/errors";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { destroy } from "../removal/destroy";
import { recoverState } from "../pulumi/recover-state";
import type { Cluster } from "../clients/kubectl";
import { connect } from "../pulumi/connect";
import {
  type ReviewStack,
  branchOr,
  readReview,
  reviewStack,
  stackOf,
} from "../stacks/review-stack";
import { settingsOf } from "../pulumi/settings";
import { withoutRelease } from "../stacks/release";
import { removeStack, stateOf } from "../pulumi/stacks";

/**
 * `npm run review -- down [BRANCH]`: removes a branch's review stack, also if the branch is gone.
 */
export async function reviewDown(
  given: string | undefined,
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const branch = await branchOr(given, workspace);
  const stack = stackOf(branch);
  const settings = await settingsOf(stack, withoutRelease(workspace));
  const { cluster, stacks } = await connect(settings, workspace);
  const there = stacks.includes(stack);
  await removeReview(
    there ? await readReview(stack, workspace) : reviewStack(stack, {}, {}, undefined),
    there,
    cluster,
    workspace,
  );
}

/**
 * Destroys a review stack's resources, and removes the stack with its state, history and locks.
 *
 * @param there whether the state contains the stack. If false, at most the stack's namespace is
 * left.
 * @throws UserError if the stack is in another cluster, or if someone else owns the stack's
 * namespace.
 */
export async function removeReview(
  stack: ReviewStack,
  there: boolean,
  cluster: Cluster,
  workspace: Workspace,
): Promise<void> {
  const started = Date.now();
  const { clusterUid, name, namespace } = stack;
  if (clusterUid !== undefined && clusterUid !== cluster.uid) {
    throw new UserError(
      `Stack "${name}" is in the cluster ${clusterUid}, but the kubeconfig points to ${cluster.uid}: ` +
        "choose the right context. Nothing was changed.",
    );
  }
  const owner = await namespaceOwner(stack, cluster);
  if (!there) {
    if (owner === "ours") {
      throw new UserError(
        `There is no stack "${name}" in this state, but its namespace ${namespace} exists: another state may ` +
          `contain it. If not: kubectl delete namespace ${namespace}`,
      );
    }
    console.log(`There is no stack "${name}": nothing to do.`);
    return;
  }
  // If a killed update had begun to create the namespace, `recoverState` adopts the namespace, so
  // that `destroy` deletes it.
  await recoverState(name, cluster, workspace);
  const { resources } = await stateOf(name, workspace);
  const holds = resources.some(({ type }) => type.startsWith("kubernetes:"));
  if (owner === "foreign" && holds) {
    throw new UserError(
      `Namespace "${namespace}" does not belong to this stack: its labels are different. Nothing was changed. ` +
        `To see what the state contains: pulumi stack --show-urns --stack ${name}`,
    );
  }
  if (resources.length > 0) await destroy(name, cluster, workspace, resources);
  const isLeft = owner === "ours" && (await namespaceOwner(stack, cluster)) === "ours";
  await removeStack(name, workspace);
  if (isLeft) {
    throw new UserError(
      `Stack "${name}" is gone, but its namespace ${namespace} is left: this state did not contain it. ` +
        `If no other state contains it: kubectl delete namespace ${namespace}`,
    );
  }
  console.log(`\nStack ${name} is gone (${duration(Date.now() - started)})`);
}

/**
 * Finds out from the labels who owns the namespace, because the name alone proves nothing. If the
 * namespace is ours and terminating, the result is `none`.
 */
export async function namespaceOwner(
  { namespace, slug }: Pick<ReviewStack, "namespace" | "slug">,
  { kubectl }: Cluster,
): Promise<"foreign" | "none" | "ours"> {
  const args = ["get", "namespace", namespace, "--ignore-not-found", "--output", "json"];
  const text = await kubectl(args, 30_000);
  if (text.trim() === "") return "none";
  const { metadata } = JSON.parse(text) as {
    metadata: { deletionTimestamp?: string; labels?: Record<string, string> };
  };
  if (!isOurs(metadata.labels ?? {}, slug)) return "foreign";
  return metadata.deletionTimestamp === undefined ? "ours" : "none";
}

/** Whether a namespace with these labels belongs to the review stack of this slug. */
export function isOurs(found: Readonly<Record<string, string>>, slug: string): boolean {
  const expected = labels(identityOf("review", slug), "namespace");
  return foreignLabel(found, expected) === undefined;
}
