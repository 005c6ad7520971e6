import { UserError } from "../../lib/errors";
import type { DeployTarget } from "./target";
import { type Drift, driftOf } from "../drift/drift";
import { recoverState } from "../pulumi/recovery/recover-state";
import { isReview, reviewTags } from "../stacks/review-stack";
import { nothingSeen } from "../pulumi/live-objects";
import { secretsProviderOf } from "../pulumi/settings";
import { type Tags, createStack, setTags } from "../pulumi/stacks";
import { ownNamespace } from "../pulumi/recovery/unrecorded";

/**
 * Creates the stack if the stack does not exist. Recovers the stack if someone killed its last
 * update. For a review stack, writes the missing tags with the branch and the cluster. The commands
 * `deploy`, `image` and `review` call this function before they update a stack.
 *
 * @returns what someone has changed in the cluster since the last update.
 * @throws UserError if the review stack belongs to another branch, or if the branch of the release
 * is unknown
 */
export async function ensureStack({
  cluster,
  workspace,
  last,
  settings,
}: DeployTarget): Promise<Drift> {
  const { release, stack } = settings;
  const isReviewStack = isReview(stack);
  if (isReviewStack) assertSameBranch(stack, release.branch, last?.tags ?? {});
  if (last === undefined) {
    await createStack(stack, secretsProviderOf(stack, workspace), workspace);
  }
  const own = ownNamespace(settings);
  // If an earlier state is lost, the objects in the stack's own namespace still exist.
  const isEmpty = last === undefined && own === undefined;
  const seen = isEmpty ? nothingSeen : await recoverState(stack, cluster, workspace, own);
  const drift = driftOf(seen);
  if (!isReviewStack) return drift;
  // If someone killed a command, or updated the stack with plain Pulumi, some of the tags may be
  // missing.
  const wanted = { [reviewTags.branch]: release.branch, [reviewTags.cluster]: cluster.uid };
  const missing = Object.entries(wanted).filter(([name]) => last?.tags[name] === undefined);
  await setTags(stack, Object.fromEntries(missing), workspace);
  return drift;
}

/**
 * Checks that a review stack belongs to the given branch, because two branches must never share a
 * stack. A stack without the tag of its branch also passes this check.
 *
 * @throws UserError if the branch is unknown, or the stack belongs to another branch
 */
function assertSameBranch(stack: string, branch: string, tags: Tags): void {
  if (branch === "unknown") {
    throw new UserError(
      `Cannot tell which branch ${stack} belongs to: check the branch out, or set RELEASE_BRANCH. Nothing was changed.`,
    );
  }
  const other = tags[reviewTags.branch];
  if (other === undefined || other === branch) return;
  throw new UserError(
    `This stack belongs to branch "${other}", not to "${branch}". Nothing was changed.`,
  );
}
