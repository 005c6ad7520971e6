import type { Settings } from "../../settings";
import { type Workspace, withEnv } from "../pulumi/run-pulumi";
import type { Cluster } from "../clients/kubectl";
import { connect } from "../pulumi/connect";
import { settingsOf } from "../pulumi/settings";
import { type Outputs, type Tags, outputsOf, tagsOf } from "../pulumi/stacks";
import { isGiven, promoted, releaseEnv } from "../stacks/release";

/** Facts about a stack that a command collects before it changes the stack. */
export interface DeployTarget {
  readonly cluster: Cluster;
  /** The given workspace, with the release that the stack must run. */
  readonly workspace: Workspace;
  /** Outputs and tags of the stack. Undefined if the stack does not exist yet. */
  readonly last: { readonly outputs: Outputs; readonly tags: Tags } | undefined;
  readonly settings: Settings;
  /** Names of all stacks in the state backend. */
  readonly stacks: readonly string[];
}

/**
 * Reads the stack's outputs and tags, connects to the cluster, and determines which release the
 * stack must run. Changes nothing.
 */
export async function resolveTarget(stack: string, given: Workspace): Promise<DeployTarget> {
  const asked = await settingsOf(stack, given);
  const { cluster, stacks } = await connect(asked, given);
  const last = stacks.includes(stack) ? await lastOf(stack, given) : undefined;
  const release = isGiven(given) ? undefined : promoted(last?.tags ?? {});
  if (release === undefined) return { cluster, workspace: given, last, settings: asked, stacks };
  console.log(`Promoted for ${stack}: ${release.imageRef} (${release.commit.slice(0, 7)})`);
  const workspace = withEnv(given, releaseEnv(release));
  return { cluster, workspace, last, settings: await settingsOf(stack, workspace), stacks };
}

/** Reads the outputs and the tags of a stack that exists. */
export async function lastOf(
  stack: string,
  workspace: Workspace,
): Promise<NonNullable<DeployTarget["last"]>> {
  const [outputs, tags] = await Promise.all([
    outputsOf(stack, workspace),
    tagsOf(stack, workspace),
  ]);
  return { outputs, tags };
}
