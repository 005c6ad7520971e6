import { badEndNotices, type Stage } from "../compose";
import { groups } from "../stages";

/**
 * CI jobs that run on a schedule, and send messages about failed and missed runs of the stacks'
 * scheduled jobs.
 */
export const notifyJobs: readonly Stage[] = [...notifierOf("staging"), ...notifierOf("prod")];

/**
 * Returns the CI job (the notifier) that reports failed and missed runs of one stack's scheduled
 * jobs, and the CI jobs that send a message if the notifier fails or is canceled. Two notifiers of
 * one stack at the same time would send every message twice, so the notifiers of a stack are in one
 * serial group. If CircleCI does not run a notifier because a newer notifier waits, the newer
 * notifier sends the same messages.
 */
function notifierOf(stack: "prod" | "staging"): readonly Stage[] {
  const name = `notify-jobs-${stack}` as const;
  return [
    {
      name,
      job: { command: `npm run notify -- jobs --stack ${stack}`, keepsReport: true },
      contexts: ["notifier", "slack"],
      serialGroup: groups[name],
    },
    ...badEndNotices(name, stack, { RECOVER_ACTION: "job-notifier" }),
  ];
}
