import { UserError } from "../../lib/errors";
import { stackOf } from "./review-stack";

/**
 * The stack of a command's argument. `review` is the branch's review stack.
 * The branch is the first of: that of the closed pull request, CircleCI's, git's.
 * A pipeline cannot compute a slug, and its commands must not contain a branch's name.
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
