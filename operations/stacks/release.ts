import { type Workspace, variables, withEnv } from "../pulumi/run-pulumi";
import type { Tags } from "../pulumi/stacks";

/** The release that a stack must run. The program reads the release from environment variables. */
export interface Release {
  readonly branch: string;
  readonly commit: string;
  readonly imageRef: string;
  readonly reason?: string;
  readonly replicas?: number;
}

/**
 * Stack tag of `prod` that contains the promoted release until a deploy has deployed this release.
 */
export const promotedTag = "promoted";

export function releaseEnv(release: Release): Readonly<Record<string, string>> {
  const { branch, commit, imageRef, reason, replicas } = release;
  return {
    RELEASE_BRANCH: branch,
    RELEASE_COMMIT: commit,
    RELEASE_IMAGE_REF: imageRef,
    ...(reason === undefined ? {} : { RELEASE_REASON: reason }),
    ...(replicas === undefined ? {} : { RELEASE_REPLICAS: String(replicas) }),
  };
}

/** Reads the promoted release from a stack's tags. Undefined if no release is promoted. */
export function promoted(tags: Tags): Release | undefined {
  const text = tags[promotedTag];
  return text === undefined ? undefined : (JSON.parse(text) as Release);
}

/** Whether the workspace's environment variables request exactly this release. */
export function isRequested(workspace: Workspace, release: Release): boolean {
  const told = variables(workspace);
  return Object.entries(releaseEnv(release)).every(([name, value]) => told[name] === value);
}

/**
 * Whether the environment variables of the shell, the CI job or the workspace contain the image
 * that the stack must run.
 */
export function isGiven(workspace: Workspace): boolean {
  return (variables(workspace)["RELEASE_IMAGE_REF"] ?? "") !== "";
}

/**
 * Returns a workspace without a release, for commands that do not use a release. With this
 * workspace, the stack's settings do not depend on the branch that is checked out.
 */
export function withoutRelease(workspace: Workspace): Workspace {
  return withEnv(workspace, { RELEASE_BRANCH: "unknown", RELEASE_IMAGE_REF: "" });
}
