import { badEndNotices, type Stage } from "../compose";
import { groups } from "../stages";

/** Jobs that run on a schedule, and tell who must hear of a failed or a missed run. */
export const notifyJobs: readonly Stage[] = [...notifierOf("staging"), ...notifierOf("prod")];

/**
 * Returns the job that tells about one stack, and the messages if that job fails. Two jobs at the
 * same time would tell everything twice, so they are in a serial group. If CircleCI drops a job
 * because a newer one waits, the newer one tells the same.
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
