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
  /** Repository of the branch, when the stack was created. */
  remote: "remote",
  ttl: "ttl",
} as const;

/** A review stack, as the state describes it. */
export interface ReviewStack {
  /** Undefined for a stack without the tag: nothing proves who owns it. */
  readonly branch: string | undefined;
  readonly clusterUid: string | undefined;
  readonly life: Life | undefined;
  readonly name: string;
  readonly namespace: string;
  readonly outputs: Outputs;
  readonly owner: string;
  /** Repository of the branch. Undefined for an old stack, or one created without a remote. */
  readonly remote: string | undefined;
  readonly slug: string;
}

/** The stack of a branch. */
export function stackOf(branch: string): string {
  try {
    return `review-${slugOf(branch)}`;
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * The stack of a command's argument. `review` is the branch's review stack.
 * The branch is the first of these: the branch of the closed pull request, the branch that CircleCI
 * names, git's current branch. A pipeline cannot compute a slug, and its commands must not contain
 * a branch's name.
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

/** The first of: the given branch, RELEASE_BRANCH, the branch that is checked out. */
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

/** Largest number of review stacks. REVIEW_STACKS_MAX overrides the company's number. */
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

/** Undefined for a stack that no longer exists. */
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

/** Builds a review stack from its state. */
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
