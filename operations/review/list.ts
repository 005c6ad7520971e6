import { UserError } from "../../lib/errors";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { hours, lifeLeft, moment } from "../../lib/time";
import { extension } from "../stacks/expiry";
import { stackNames } from "../pulumi/connect";
import {
  branchOr,
  expiryOf,
  mostStacks,
  readReview,
  reviewStacks,
  reviewTags,
  stackOf,
} from "../stacks/review-stack";
import { setTags } from "../pulumi/stacks";

/** `npm run review -- list`: prints every review stack, with its owner and its expiry. */
export async function reviewList(workspace: Workspace = defaultWorkspace): Promise<void> {
  const stacks = await reviewStacks(workspace);
  for (const stack of stacks) {
    const ends = expiryOf(stack);
    console.log(`${stack.name}  ${ends === undefined ? "was never updated" : lifeLeft(ends)}`);
    console.log(`  branch ${stack.branch ?? "unknown"}, owner ${stack.owner}`);
    console.log(
      `  ${stack.outputs.url ?? "has no URL: nothing was deployed to it successfully yet"}`,
    );
  }
  console.log(`${String(stacks.length)} of at most ${String(mostStacks(workspace))} review stacks`);
}

/**
 * `npm run review -- extend BRANCH --for 24h`: sets a review stack's expiry, here to 24 hours from
 * now.
 */
export async function reviewExtend(
  given: string | undefined,
  duration: string,
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const stack = stackOf(await branchOr(given, workspace));
  const wanted = hours(duration);
  if (!(await stackNames(workspace)).includes(stack)) {
    throw new UserError(`There is no stack "${stack}".`);
  }
  const { life } = await readReview(stack, workspace);
  if (life === undefined) throw new UserError(`Stack "${stack}" was never updated.`);
  const until = extension(life, wanted, new Date());
  await setTags(stack, { [reviewTags.extendedUntil]: until.toISOString() }, workspace);
  const review = await readReview(stack, workspace);
  console.log(`${stack} lives until ${moment(expiryOf(review) ?? until)}`);
}
