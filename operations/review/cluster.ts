import type { Cluster } from "../clients/kubectl";
import { connectToCluster } from "../pulumi/connect";
import type { Workspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { withoutRelease } from "../stacks/release";

/**
 * A name that a review stack could have. With this name, the code finds the cluster. All review
 * stacks are in the same cluster.
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
