import { planOf, type Stage } from "../compose";
import type { Requirement } from "../model";
import { afterDeploy, checks, groups, imageOf, ofBranch, previewOf } from "../stages";

/**
 * Returns the requirement that a job has succeeded or failed. A canceled or skipped job does not
 * satisfy the requirement.
 */
const ended = (name: string): Requirement => ({ [name]: ["success", "failed"] });

/**
 * Jobs for a branch with a pull request. These jobs run the checks, preview the changes, and deploy
 * a review stack after an approval.
 */
export const branch: readonly Stage[] = [
  ...checks(""),
  ...imageOf("review", "test-service"),
  // The previews run one after another, because all previews update the same comment of the pull
  // request. If a preview of staging or production fails, CircleCI reports a failure on the pull
  // request, but people can still deploy the branch's review stack.
  previewOf("review", ["image-review"], { onPullRequest: true }),
  previewOf("staging", ["preview-review"], { onPullRequest: true }),
  previewOf("prod", [ended("preview-staging")], { onPullRequest: true }),
  {
    name: "approve-review",
    requires: [
      ...["check", "test-unit", "scan", "scan-image-review", "preview-review"],
      ended("preview-prod"),
    ],
  },
  {
    name: "deploy-review",
    job: {
      command: `npm run review -- up "$CIRCLE_BRANCH" --approved ${planOf("review")}`,
      environment: ofBranch,
      keepsReport: true,
      takes: true,
    },
    contexts: ["review", "github"],
    requires: ["approve-review"],
    serialGroup: groups.review,
  },
  ...afterDeploy("review", { environment: ofBranch, voice: "slack-review" }),
];
