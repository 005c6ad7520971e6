import { badEndNotices, type Stage } from "./compose";
import { groups, ofBranch, removal } from "./stages";

const closedBranch = {
  ...ofBranch,
  REVIEW_BRANCH: "<< pipeline.event.github.pull_request.head.ref >>",
};

/** When a pull request is merged or closed. */
export const teardown: readonly Stage[] = [
  {
    name: "teardown",
    job: {
      aws: true,
      command: 'npm run review -- down "$REVIEW_BRANCH"',
      environment: closedBranch,
      executor: "pulumi",
      reportsAs: "teardown",
    },
    contexts: removal,
    serialGroup: groups.review,
  },
  ...badEndNotices("teardown", "review", closedBranch),
];

/** By the clock: what is expired, or has no branch any more. */
export const sweep: readonly Stage[] = [
  {
    name: "sweep",
    job: {
      aws: true,
      command: "npm run sweep -- --apply",
      executor: "pulumi",
      reportsAs: "sweep",
    },
    contexts: removal,
    serialGroup: groups.sweep,
  },
  ...badEndNotices("sweep", "review"),
];
