import { environments } from "../../environments";
import { person, remoteUrl } from "../clients/git";
import { recordUpdate } from "../stacks/review-namespace";
import type { DeployTarget } from "./target";

/**
 * Runs an update. For a review stack, writes the time into the stack's namespace twice. The first
 * time is before the update, so that no sweep removes the stack now. The second time is after the
 * update, also if the update failed, because the first update creates the namespace.
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
