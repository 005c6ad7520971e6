import { slugOf, traitsOf } from "../../environments";
import { UserError } from "../../lib/errors";
import { type Workspace, variables } from "../pulumi/run-pulumi";
import { currentBranch } from "../clients/git";
import { stackOfSlug } from "./review-namespace";

/**
 * Tags of a review stack in its state. The commands that remove a stack do not trust these tags,
 * because the jobs of every branch can write the tags. The commands use the namespace instead.
 */
export const reviewTags = { branch: "branch", cluster: "clusterUid" } as const;

/** Returns the name of a branch's review stack. */
export function stackOf(branch: string): string {
  try {
    return stackOfSlug(slugOf(branch));
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Converts a command's argument to the name of a stack. The argument `review` means the review
 * stack of the current branch. Pipelines use this argument, because they cannot compute a slug, and
 * because their commands must not contain the name of a branch. The current branch is the first of
 * these that exists: REVIEW_BRANCH (the branch of a closed pull request), CIRCLE_BRANCH, and the
 * branch that is checked out.
 *
 * @throws UserError for `review` without a current branch, and for a branch that cannot have a
 * review stack
 */
export function stackNamed(
  given: string,
  env: Readonly<Record<string, string | undefined>>,
  gitBranch: string,
): string {
  if (given !== "review") return given;
  const branch = [env["REVIEW_BRANCH"], env["CIRCLE_BRANCH"], gitBranch].find(
    (name) => name !== undefined && name !== "",
  );
  if (branch === undefined) {
    throw new UserError(
      "no branch is checked out, so the review stack is unknown. Write its name: review-<slug>",
    );
  }
  return stackOf(branch);
}

/**
 * Returns the given branch. If no branch is given, returns the value of RELEASE_BRANCH or, if this
 * variable is not set, the checked-out branch.
 */
export async function branchOr(given: string | undefined, workspace: Workspace): Promise<string> {
  const fromEnv = variables(workspace)["RELEASE_BRANCH"];
  const branch =
    given ?? (fromEnv === "" ? undefined : fromEnv) ?? (await currentBranch(workspace));
  if (branch === undefined) {
    throw new UserError(
      "No branch is checked out. Name a branch, for example: npm run review -- up BRANCH",
    );
  }
  return branch;
}

export const isReview = (stack: string): boolean => traitsOf(stack)?.perBranch ?? false;
