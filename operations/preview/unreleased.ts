import { imageInputs } from "../../components/conventions/content-hash";
import { traitsOf } from "../../environments";
import type { Workspace } from "../pulumi/run-pulumi";
import { isGiven } from "../stacks/release";
import { differs } from "../clients/git";
import { valueAt } from "./changes/differences";
import type { Events } from "../pulumi/events";

/** Commit of production's image: the label `commit_id` of the web service's Deployment. */
function releasedCommit({ steps }: Pick<Events, "steps">): string | undefined {
  const deployment = steps.find(({ type }) => type === "kubernetes:apps/v1:Deployment");
  const commit = valueAt(deployment?.new?.inputs, "metadata.labels.commit_id");
  return typeof commit === "string" && /^[0-9a-f]{7,40}$/.test(commit) ? commit : undefined;
}

/**
 * Returns a note if the service's code in the working directory differs from production's release.
 * Without this note, the result "nothing changes" would look wrong for changed code. Empty if the
 * code is the same, if the Git repository does not contain the release's commit, if the stack does
 * not run a promoted release, or if the caller has set an image for the preview.
 */
export async function unreleased(
  stack: string,
  workspace: Workspace,
  events: Pick<Events, "steps">,
): Promise<readonly string[]> {
  const promoted = traitsOf(stack)?.image === "promoted";
  const commit = promoted && !isGiven(workspace) ? releasedCommit(events) : undefined;
  if (commit === undefined) return [];
  return (await differs(commit, imageInputs, workspace)) === true
    ? [
        `the service's code differs from production's release (${commit.slice(0, 7)}): production keeps its image until someone promotes a release`,
      ]
    : [];
}
