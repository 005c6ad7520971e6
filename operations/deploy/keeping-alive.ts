import { environments } from "../../environments";
import { person, remoteUrl } from "../clients/git";
import { recordUpdate } from "../stacks/review-namespace";
import type { DeployTarget } from "./target";

/**
 * Runs an update. For a review stack, writes the time into an annotation of the stack's namespace
 * before and after the update. The time that this function writes before the update prevents a
 * sweep from removing the stack during the update. Before the first update, the stack has no
 * namespace. So this function writes the time again after the update, even if the update failed.
 */
export async function keepingAlive(
  { cluster, settings, workspace }: DeployTarget,
  work: () => Promise<void>,
): Promise<void> {
  const { environment, stack } = settings;
  if (!environments[environment].perBranch) return work();
  const facts = { person: await person(workspace), remote: await remoteUrl(workspace) };
  await recordUpdate(stack, facts, cluster);
  try {
    await work();
  } finally {
    await recordUpdate(stack, facts, cluster);
  }
}
