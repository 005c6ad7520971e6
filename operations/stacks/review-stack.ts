import { slugOf, traitsOf } from "../../environments";
import { UserError } from "../../lib/errors";
import { type Workspace, variables } from "../pulumi/run-pulumi";
import { currentBranch } from "../clients/git";
import { stackOfSlug } from "./review-namespace";

/**
 * Tags of a review stack in its state. The commands that remove a stack do not trust these tags,
 * but use the namespace.
 */
export const reviewTags = { branch: "branch", cluster: "clusterUid" } as const;

/** Name of a branch's review stack. */
export function stackOf(branch: string): string {
  try {
    return stackOfSlug(slugOf(branch));
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Converts a command's argument to the name of a stack. `review` means the branch's review stack. A
 * pipeline uses this argument, because it cannot compute a slug and its commands must not contain a
 * branch's name. The branch is the first of these that exists: the branch of the closed pull
 * request, the branch that CircleCI names, git's current branch.
 *
 * @throws UserError for `review` without a branch, and for a branch that has no review stack
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
      "no branch is checked out, so there is not a review stack; name it: review-<slug>",
    );
  }
  return stackOf(branch);
}

/**
 * Returns the given branch. If no branch is given, returns RELEASE_BRANCH or, if this variable is
 * not set, the checked-out branch.
 */
export async function branchOr(given: string | undefined, workspace: Workspace): Promise<string> {
  const fromEnv = variables(workspace)["RELEASE_BRANCH"];
  const branch =
    given ?? (fromEnv === "" ? undefined : fromEnv) ?? (await currentBranch(workspace));
  if (branch === undefined) {
    throw new UserError(
      "No branch is checked out: name one, such as in npm run review -- up BRANCH",
    );
  }
  return branch;
}

export const isReview = (stack: string): boolean => traitsOf(stack)?.perBranch ?? false;
