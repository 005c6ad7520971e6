import { company } from "../../config/company";
import { UserError } from "../../lib/errors";
import type { DeployTarget } from "./target";
import { person, remoteUrl } from "../clients/git";
import { type Drift, driftOf } from "../drift/drift";
import { recoverState } from "../pulumi/recover-state";
import { isReview, mostStacks, reviewTags } from "../stacks/review-stack";
import { secretsProviderOf } from "../pulumi/settings";
import { type Tags, createStack, setTags } from "../pulumi/stacks";

/**
 * Creates the stack if it does not exist, and recovers one whose update was killed. Every command
 * that changes a stack calls this first. So whichever command creates a review stack, the stack is
 * counted and tagged, and a sweep finds it even if nothing was ever deployed to it.
 *
 * @returns what was changed in the cluster since the last update.
 * @throws UserError at the limit of review stacks, and for another branch's review stack.
 */
export async function ensureStack({
  cluster,
  workspace,
  last,
  settings: { release, stack },
  stacks,
}: DeployTarget): Promise<Drift> {
  const isReviewStack = isReview(stack);
  if (isReviewStack) assertSameBranch(stack, release.branch, last?.tags ?? {});
  let drift: Drift = { changed: [], gone: [] };
  if (last === undefined) {
    if (isReviewStack)
      assertBelowLimit(stack, stacks.filter(isReview).length, mostStacks(workspace));
    await createStack(stack, secretsProviderOf(stack, workspace), workspace);
  } else drift = driftOf(await recoverState(stack, cluster, workspace));
  if (!isReviewStack) return drift;
  // A killed command, or plain Pulumi, may not have set all of them.
  const missing = Object.entries(await origin(release.branch, cluster.uid, workspace)).filter(
    ([name]) => last?.tags[name] === undefined,
  );
  await setTags(stack, Object.fromEntries(missing), workspace);
  return drift;
}

/**
 * A review stack's owner, cluster, creation time and lifetime. The tags that a sweep needs most
 * come first.
 */
async function origin(
  branch: string,
  clusterUid: string,
  workspace: DeployTarget["workspace"],
): Promise<Tags> {
  const remote = await remoteUrl(workspace);
  return {
    [reviewTags.branch]: branch,
    [reviewTags.cluster]: clusterUid,
    [reviewTags.created]: new Date().toISOString(),
    ...(remote === undefined ? {} : { [reviewTags.remote]: remote }),
    [reviewTags.ttl]: String(company.reviewStacks.ttlHours),
    [reviewTags.owner]: await person(workspace),
  };
}

/** Two branches never share a stack, no matter what was changed by hand. */
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

function assertBelowLimit(stack: string, there: number, most: number): void {
  if (there < most) return;
  throw new UserError(
    `Review stack limit reached (${String(there)} of ${String(most)}): ${stack} was not created. ` +
      'Remove one ("npm run review -- list" lists them), or run "npm run sweep".',
  );
}
