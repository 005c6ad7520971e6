import { planOf, type Stage } from "./compose";
import type { Requirement } from "./model";
import { afterDeploy, checks, groups, ofBranch, previewOf } from "./stages";

/** A job has come to its end, whichever: it was neither cancelled nor left out. */
const ended = (name: string): Requirement => ({ [name]: ["success", "failed"] });

/** On a branch with a pull request: is it good, what would it change, and a stack of its own to try it. */
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
  // One after another: they share the pull request's one comment. What would happen to staging or production decides nothing about a
  // review stack: where their preview fails, the pull request is red, and can be tried nonetheless.
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
