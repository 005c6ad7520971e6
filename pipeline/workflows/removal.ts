import { badEndNotices, skippedNotice, type Stage } from "../compose";
import type { ContextName } from "../contexts";
import { groups, ofBranch } from "../stages";

const closedBranch = {
  ...ofBranch,
  REVIEW_BRANCH: "<< pipeline.event.github.pull_request.head.ref >>",
};

/**
 * Jobs that remove a branch's review stack after the branch's pull request was merged or closed.
 */
export const teardown: readonly Stage[] = [
  {
    name: "teardown",
    job: {
      command: 'npm run review -- down "$REVIEW_BRANCH"',
      environment: closedBranch,
      keepsReport: true,
    },
    contexts: ["review-removal"],
    serialGroup: groups.review,
  },
  ...badEndNotices("teardown", "review", closedBranch),
  skippedNotice("teardown", "review", { environment: closedBranch }),
];

/**
 * Jobs that run on a schedule. These jobs remove expired canaries, expired review stacks, and
 * review stacks whose branch no longer exists.
 */
export const sweep: readonly Stage[] = [
  ...swept("reviews", "review-removal", "review"),
  ...swept("canary", "canary-removal", "prod-canary"),
];

/**
 * Returns the jobs that run `npm run sweep` for review stacks or for the canary. The two kinds of
 * jobs have different IAM roles: one role can remove only review stacks, and the other role can
 * remove only the canary.
 */
function swept(what: "canary" | "reviews", context: ContextName, told: string): readonly Stage[] {
  const name = `sweep-${what}` as const;
  return [
    {
      name,
      job: { command: `npm run sweep -- --apply --only ${what}`, keepsReport: true },
      contexts: [context],
      // Jobs that people start are in other serial groups. If these jobs and the sweep were in one
      // group, a newer sweep would make CircleCI skip a waiting job, such as the approved start of
      // a canary.
      serialGroup: groups[name],
    },
    ...badEndNotices(name, told),
  ];
}
