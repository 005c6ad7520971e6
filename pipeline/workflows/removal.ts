import { badEndNotices, skippedNotice, type Stage } from "../compose";
import type { ContextName } from "../contexts";
import { groups, ofBranch } from "../stages";

const closedBranch = {
  ...ofBranch,
  REVIEW_BRANCH: "<< pipeline.event.github.pull_request.head.ref >>",
};

/** Jobs that remove a review stack after someone merges or closes the branch's pull request. */
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
 * Jobs that run on a schedule, and remove review stacks and canaries that have expired or have no
 * branch any more.
 */
export const sweep: readonly Stage[] = [
  ...swept("reviews", "review-removal", "review"),
  ...swept("canary", "canary-removal", "prod-canary"),
];

/**
 * Returns the job that sweeps review stacks or the canary. These two jobs have different roles, and
 * neither role has permissions for what the other job removes.
 */
function swept(what: "canary" | "reviews", context: ContextName, told: string): readonly Stage[] {
  const name = `sweep-${what}` as const;
  return [
    {
      name,
      job: { command: `npm run sweep -- --apply --only ${what}`, keepsReport: true },
      contexts: [context],
      // Jobs that people start are in other serial groups. In the same serial group, CircleCI would
      // drop an approved start or an emergency stop as soon as a newer sweep waits.
      serialGroup: groups[name],
    },
    ...badEndNotices(name, told),
  ];
}
