/**
 * Labels of the Jobs that people create. Each label names an object of the stack. The pod of the
 * Job is a copy of the pod in this object. The platform's admission policies compare the pod of a
 * developer's Job with this object.
 */
export const copyLabels = {
  /** The value is the name of the PodTemplate for one-off commands. */
  command: "run/template",
  /** The value is the name of the CronJob. */
  scheduled: "jobs/run-of",
  /** The value is the name of the Deployment. */
  twin: "debug/twin-of",
} as const;

/**
 * Annotation of the PodTemplate for one-off commands: the names of the stack's scheduled jobs, with
 * a comma between two names. The label of a Job contains the name of a CronJob. The admission
 * policies check this name against the annotation, because the policy that compares a Job with the
 * CronJobs cannot check whether the CronJob exists.
 */
export const scheduledJobsAnnotation = "jobs/scheduled";
