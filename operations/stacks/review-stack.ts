import { parseStack, slugOf, traitsOf } from "../../environments";
import { reviewAccess } from "../../components/conventions/ci-roles";
import { company } from "../../config/company";
import { UserError } from "../../lib/errors";
import { type Workspace, variables } from "../pulumi/run-pulumi";
import { dateOf } from "../../lib/time";
import { type Life, expiry } from "./expiry";
import { currentBranch } from "../clients/git";
import { stackNames } from "../pulumi/connect";
import { type Outputs, type Tags, lastUpdate, outputsOf, tagsOf } from "../pulumi/stacks";

/** Tags of a review stack. */
export const reviewTags = {
  branch: "branch",
  cluster: "clusterUid",
  created: "created",
  extendedUntil: "extendedUntil",
  owner: "owner",
  /** Repository of the branch at the time when the stack was created. */
  remote: "remote",
  ttl: "ttl",
} as const;

/** A review stack, as the state describes it. */
export interface ReviewStack {
  /**
   * Branch of the stack. Undefined if neither the tags nor the outputs contain the branch. In this
   * case, nothing proves who owns the stack.
   */
  readonly branch: string | undefined;
  readonly clusterUid: string | undefined;
  readonly life: Life | undefined;
  readonly name: string;
  readonly namespace: string;
  readonly outputs: Outputs;
  readonly owner: string;
  /**
   * Repository of the branch. Undefined for an old stack, or for a stack that was created without a
   * remote.
   */
  readonly remote: string | undefined;
  readonly slug: string;
}

/** Name of a branch's review stack. */
export function stackOf(branch: string): string {
  try {
    return `review-${slugOf(branch)}`;
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Converts a command's argument to the name of a stack. `review` means the branch's review stack,
 * because a pipeline cannot compute a slug, and its commands must not contain a branch's name. The
 * branch is the first of these that exists: the branch of the closed pull request, the branch that
 * CircleCI names, git's current branch.
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

/**
 * Largest number of review stacks. The environment variable REVIEW_STACKS_MAX overrides the
 * company's number.
 */
export function mostStacks(workspace: Workspace): number {
  const given = Number(variables(workspace)["REVIEW_STACKS_MAX"] ?? "");
  return Number.isInteger(given) && given > 0 ? given : company.reviewStacks.max;
}

/** All review stacks of this state. */
export async function reviewStacks(workspace: Workspace): Promise<readonly ReviewStack[]> {
  const names = (await stackNames(workspace)).filter(isReview);
  const stacks = await Promise.all(names.map(async (name) => readIfThere(name, workspace)));
  return stacks.filter((stack) => stack !== undefined);
}

/** Reads a review stack. Undefined if the stack no longer exists. */
export async function readIfThere(
  name: string,
  workspace: Workspace,
): Promise<ReviewStack | undefined> {
  try {
    return await readReview(name, workspace);
  } catch (error) {
    if ((await stackNames(workspace)).includes(name)) throw error;
    return undefined;
  }
}

export async function readReview(name: string, workspace: Workspace): Promise<ReviewStack> {
  const [outputs, tags, updated] = await Promise.all([
    outputsOf(name, workspace),
    tagsOf(name, workspace),
    lastUpdate(name, workspace),
  ]);
  return reviewStack(name, outputs, tags, updated);
}

/**
 * Creates the description of a review stack from its outputs, its tags and the time of its last
 * update.
 */
export function reviewStack(
  name: string,
  outputs: Outputs,
  tags: Tags,
  updated: Date | undefined,
): ReviewStack {
  const slug = parseStack(name)?.slug ?? "";
  const created = dateOf(tags[reviewTags.created]);
  const last = updated ?? created;
  const ttl = Number(tags[reviewTags.ttl]);
  return {
    branch: tags[reviewTags.branch] ?? outputs.branch,
    clusterUid: outputs.clusterUid ?? tags[reviewTags.cluster],
    life: last && {
      extendedUntil: dateOf(tags[reviewTags.extendedUntil]),
      lastUpdate: last,
      ttlHours: ttl > 0 ? ttl : company.reviewStacks.ttlHours,
    },
    name,
    namespace: outputs.namespace ?? `${reviewAccess.namespacePrefix}${slug}`,
    outputs,
    owner: tags[reviewTags.owner] ?? "unknown",
    remote: tags[reviewTags.remote],
    slug,
  };
}

export function expiryOf({ life }: ReviewStack): Date | undefined {
  return life && expiry(life);
}
