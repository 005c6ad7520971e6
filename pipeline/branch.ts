import { planOf, type Stage } from "./compose";
import type { Requirement } from "./model";
import { afterDeploy, checks, groups, ofBranch, previewOf } from "./stages";

/** A job has ended, with success or failure: it was neither cancelled nor skipped. */
const ended = (name: string): Requirement => ({ [name]: ["success", "failed"] });

/**
 * On a branch with a pull request: run the checks, preview the changes, and deploy a review stack.
 */
export const branch: readonly Stage[] = [
  ...checks(""),
  {
    name: "image-review",
    job: {
      aws: true,
      command: "npm run image -- review",
      docker: true,
      executor: "pulumi",
      gives: "reports",
      takes: true,
    },
    contexts: ["review"],
    requires: ["test-service"],
  },
  {
    name: "scan-image-review",
    job: { aws: true, command: "npm run scan -- image", executor: "pulumi", takes: true },
    contexts: ["preview"],
    requires: ["image-review"],
  },
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
      aws: true,
      command: `npm run review -- up "$CIRCLE_BRANCH" --approved ${planOf("review")}`,
      environment: ofBranch,
      executor: "pulumi",
      reportsAs: "deploy-review",
      takes: true,
    },
    contexts: ["review", "github"],
    requires: ["approve-review"],
    serialGroup: groups.review,
  },
  ...afterDeploy("review", ofBranch),
];
