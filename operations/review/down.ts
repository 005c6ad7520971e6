import { UserError } from "../../lib/errors";
import { duration } from "../../lib/time";
import type { Cluster } from "../clients/kubectl";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { deleteNamespace } from "../removal/namespace";
import { namespaceOfStack, readNamespace, reviewNamespace } from "../stacks/review-namespace";
import { branchOr, stackOf } from "../stacks/review-stack";
import { clusterOfState, removeState, reviewStates } from "../stacks/review-state";
import { connectToReviews } from "./cluster";

/**
 * `npm run review -- down [BRANCH]`: removes a branch's review stack, even if the branch no longer
 * exists.
 */
export async function reviewDown(
  given: string | undefined,
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const stack = stackOf(await branchOr(given, workspace));
  await removeReview(stack, await connectToReviews(workspace), workspace);
}

/**
 * Deletes the namespace of a review stack, and then the files or S3 objects of the stack's state.
 * The function does not start Pulumi, because the jobs of every branch can write the state of every
 * review stack, and a state can contain the names of programs that Pulumi would start. If someone
 * kills the removal, the next removal continues the work, because a removal also works for a stack
 * without a namespace.
 *
 * @throws UserError if the namespace does not exist in this cluster, and the state contains the UID
 * of another cluster.
 */
export async function removeReview(
  stack: string,
  cluster: Cluster,
  workspace: Workspace,
): Promise<void> {
  const started = Date.now();
  const name = namespaceOfStack(stack);
  const [object, states] = await Promise.all([
    readNamespace(name, cluster),
    reviewStates(workspace),
  ]);
  const isThere = states.some((state) => state.name === stack);
  const isOurs = object !== undefined && reviewNamespace(object).isOurs;
  if (object !== undefined && !isOurs) {
    console.log(`Namespace "${name}" does not belong to this stack: it is not changed.`);
  }
  if (!isThere && !isOurs) {
    console.log(`There is no stack "${stack}": nothing to do.`);
    return;
  }
  if (isOurs) await deleteNamespace(name, cluster);
  else await assertSameCluster(stack, cluster, workspace);
  console.log(`Removing the state of ${stack}`);
  await removeState(stack, workspace);
  console.log(`\nStack ${stack} is gone (${duration(Date.now() - started)})`);
}

/**
 * Checks that the stack's state does not contain the UID of another cluster. The jobs of every
 * branch can write this state. So the state may prevent a removal, but must never cause a removal.
 */
async function assertSameCluster(
  stack: string,
  { uid }: Cluster,
  workspace: Workspace,
): Promise<void> {
  const other = await clusterOfState(stack, workspace);
  if (other === undefined || other === uid) return;
  throw new UserError(
    `Stack "${stack}" is in the cluster ${other}, but the kubeconfig points to ${uid}: ` +
      "choose the right context. Nothing was changed.",
  );
}
