import type { Cluster } from "../clients/kubectl";
import { connectToCluster } from "../pulumi/connect";
import type { Workspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { withoutRelease } from "../stacks/release";

/**
 * A possible name of a review stack. Some settings, such as the cluster, are the same for all
 * review stacks. The commands use this name to read these settings.
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
