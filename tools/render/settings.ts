import { mainBranch } from "../../components/conventions/ci-roles";
import { parseStack, slugOf, traitsOf } from "../../environments";
import { currentBranch } from "../../operations/clients/git";
import { type Workspace, variables, withEnv } from "../../operations/pulumi/run-pulumi";
import { settingsOf } from "../../operations/pulumi/settings";
import { assertStackName } from "../../operations/stacks/stack-name";
import type { Settings } from "../../settings";

/**
 * Placeholder for the digest of an image that does not exist yet. The components accept only
 * digests of 64 hex digits, so the placeholder has this form. The output contains `imageDigest`
 * instead.
 */
export const unknownDigest = "0".repeat(64);

/** Returns whether a branch's review stack has this slug. */
function isBranchOf(slug: string, branch: string): boolean {
  try {
    return slugOf(branch) === slug;
  } catch {
    return false;
  }
}

/**
 * Returns the branch of a release of this stack. For a stack that runs only code of main, returns
 * main. For a review stack, returns the current branch if this branch has the stack's slug.
 * Otherwise, returns the slug if a branch with the slug as its name belongs to this stack. In all
 * other cases of a review stack, returns `unknown`. For a stack that may run the code of any
 * branch, returns undefined.
 */
async function branchOf(stack: string, workspace: Workspace): Promise<string | undefined> {
  const { perBranch, protectedBranch } = traitsOf(stack) ?? {};
  if (protectedBranch === true) return mainBranch;
  if (perBranch !== true) return undefined;
  const { slug = "" } = parseStack(stack) ?? {};
  const branches = [(await currentBranch(workspace)) ?? "", slug];
  return branches.find((branch) => isBranchOf(slug, branch)) ?? "unknown";
}

/**
 * Returns the settings with which the program declares a stack's objects, without a cluster, a
 * registry or a state. Except for the digest of an image that does not exist yet, the settings are
 * the same as in a deployment of the code in the working directory.
 *
 * @throws UserError with every issue in the settings, and for a name that no stack may have.
 */
export async function settingsToRender(stack: string, workspace: Workspace): Promise<Settings> {
  assertStackName(stack);
  const isGiven = (variables(workspace)["RELEASE_BRANCH"] ?? "") !== "";
  const branch = isGiven ? undefined : await branchOf(stack, workspace);
  const release = branch === undefined ? {} : { RELEASE_BRANCH: branch };
  const settings = await settingsOf(stack, withEnv(workspace, release));
  const { imageRef, imageRepository = "" } = settings;
  return { ...settings, imageRef: imageRef ?? `${imageRepository}@sha256:${unknownDigest}` };
}
