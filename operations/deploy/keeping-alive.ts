import { environments } from "../../environments";
import { person, remoteUrl } from "../clients/git";
import { recordUpdate } from "../stacks/review-namespace";
import type { DeployTarget } from "./target";

/**
 * Runs an update. If the stack is a review stack, records the update in the stack's namespace:
 * before the update, so that no sweep removes the stack now, and after the update, because the
 * first update creates the namespace. A failed update counts too.
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
