import { slug } from "../components/conventions/names";

/**
 * The stack that a command was asked for. `review` is the review stack of the branch: CircleCI's (`CIRCLE_BRANCH`), else git's. A pipeline
 * cannot compute a slug, and a branch's name has no business in its commands.
 *
 * @throws Error for `review` without a branch, and for a branch that has no review stack
 */
export function stackNamed(
  given: string,
  env: Readonly<Record<string, string | undefined>>,
  gitBranch: string,
): string {
  if (given !== "review") return given;
  const ci = env["CIRCLE_BRANCH"] ?? "";
  const branch = ci === "" ? gitBranch : ci;
  if (branch === "") {
    throw new Error(
      "no branch is checked out, so there is no review stack; name it: review-<slug>",
    );
  }
  return `review-${slug(branch)}`;
}
