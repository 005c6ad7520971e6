import { company } from "../../config/company";
import { UserError } from "../../lib/errors";
import type { DeployTarget } from "./target";
import { person, remoteUrl } from "../clients/git";
import { recoverKilledUpdate } from "../pulumi/killed-update";
import { isReview, mostStacks, reviewTags } from "../stacks/review-stack";
import { secretsProviderOf } from "../pulumi/secrets-provider";
import { type Tags, createStack, setTags } from "../pulumi/stacks";

/**
 * Creates the stack if it does not exist, and takes over one whose update was killed. Every command
 * that changes a stack begins with this. So a review stack is counted and has its tags whichever
 * command creates it, and a sweep finds it even if nothing was deployed to it.
 *
 * @throws UserError for one review stack too many, and for one that is another branch's.
 */
export async function ensureStack({
  cluster,
  engine,
  last,
  settings: { release, stack },
  stacks,
}: DeployTarget): Promise<void> {
  const isReviewStack = isReview(stack);
  if (isReviewStack) refuseOther(stack, release.branch, last?.tags ?? {});
  if (last === undefined) {
    if (isReviewStack) refuseMore(stack, stacks.filter(isReview).length, mostStacks(engine));
    await createStack(stack, secretsProviderOf(stack, engine), engine);
  } else await recoverKilledUpdate(stack, cluster, engine);
  if (!isReviewStack) return;
  // Also those that a killed command, or plain Pulumi, has left out.
  const missing = Object.entries(await origin(release.branch, cluster.uid, engine)).filter(
    ([name]) => last?.tags[name] === undefined,
  );
  await setTags(stack, Object.fromEntries(missing), engine);
}

/**
 * Whose a review stack is, where, since when and for how long; what a sweep cannot do without comes
 * first.
 */
async function origin(
  branch: string,
  clusterUid: string,
  engine: DeployTarget["engine"],
): Promise<Tags> {
  const remote = await remoteUrl(engine);
  return {
    [reviewTags.branch]: branch,
    [reviewTags.cluster]: clusterUid,
    [reviewTags.created]: new Date().toISOString(),
    ...(remote === undefined ? {} : { [reviewTags.remote]: remote }),
    [reviewTags.ttl]: String(company.reviewStacks.ttlHours),
    [reviewTags.owner]: await person(engine),
  };
}

/** Two branches never share a stack, even after manual changes. */
function refuseOther(stack: string, branch: string, tags: Tags): void {
  if (branch === "unknown") {
    throw new UserError(
      `Nothing says which branch ${stack} is of: check the branch out, or set RELEASE_BRANCH. Nothing was changed.`,
    );
  }
  const other = tags[reviewTags.branch];
  if (other === undefined || other === branch) return;
  throw new UserError(`This stack is branch "${other}"'s, not "${branch}"'s. Nothing was changed.`);
}

function refuseMore(stack: string, there: number, most: number): void {
  if (there < most) return;
  throw new UserError(
    `There are ${String(there)} review stacks, and at most ${String(most)} may be: ${stack} is not made. ` +
      'Take one down ("npm run review -- list" names them), or run "npm run sweep".',
  );
}
