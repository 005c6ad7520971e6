/**
 * Annotations of a CronJob and of the Jobs of its runs, which name the recipient of a notification.
 * `npm run notify -- jobs` reads the annotations of the CronJob.
 */
export const onFailureAnnotations = {
  /** URL of a page that says what to do after a failure. */
  runbook: "on-failure/runbook",
  /** Recipient, such as `slack:#orders-alerts`. */
  tell: "on-failure/tell",
} as const;
