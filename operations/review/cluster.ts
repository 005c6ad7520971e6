import type { Cluster } from "../clients/kubectl";
import { connectToCluster } from "../pulumi/connect";
import type { Workspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { withoutRelease } from "../stacks/release";

/**
 * A possible name of a review stack. The commands use this name to read the settings of review
 * stacks, such as their cluster, because these settings do not depend on the branch.
 */
export const anyReview = "review-any";

/**
 * Connects to the cluster of the review stacks.
 *
 * @throws UserError if the cluster does not answer.
 */
export async function connectToReviews(workspace: Workspace): Promise<Cluster> {
  const settings = await settingsOf(anyReview, withoutRelease(workspace));
  return connectToCluster(settings, workspace);
}
