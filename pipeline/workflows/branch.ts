import { planOf, type Stage } from "../compose";
import type { Requirement } from "../model";
import { afterDeploy, checks, groups, imageOf, ofBranch, previewOf } from "../stages";

/** A job has ended, with success or failure: it was neither cancelled nor skipped. */
const ended = (name: string): Requirement => ({ [name]: ["success", "failed"] });

/**
 * On a branch with a pull request: run the checks, preview the changes, and deploy a review stack.
 */
export const branch: readonly Stage[] = [
  ...checks(""),
  ...imageOf("review", "test-service"),
  // The previews run one after another, because they share the pull request's one comment. The
  // previews of staging and production do not block the review stack: if one fails, the pull
  // request is red, but its review stack can still be tried.
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
  ...afterDeploy("review", { environment: ofBranch }),
];
