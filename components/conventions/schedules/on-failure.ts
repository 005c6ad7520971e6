/**
 * Annotations with the recipient of messages about failed and missed runs. The CronJob and the Jobs
 * of its runs have these annotations. `npm run notify -- jobs` reads the annotations of the
 * CronJob.
 */
export const onFailureAnnotations = {
  /** URL of a page that explains what to do after a failure. */
  runbook: "on-failure/runbook",
  /** Recipient, such as `slack:#orders-alerts`. */
  tell: "on-failure/tell",
} as const;
