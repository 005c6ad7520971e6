import { driftReport, notice, type Stage } from "../compose";

/** Jobs that run on a schedule, and report what someone has changed in the cluster. */
export const drift: readonly Stage[] = [...driftOf("staging"), ...driftOf("prod")];

/**
 * Returns two jobs. The first job has an IAM role and reads the cluster. The second job has no
 * role, and reads from a CI cache what earlier messages have reported. Any branch can write that
 * cache, so a job with a role must not use the cache. The second job also runs after a failure of
 * the first job, and reports this failure once.
 */
function driftOf(stack: "prod" | "staging"): readonly Stage[] {
  const name = `drift-${stack}`;
  return [
    {
      name,
      job: {
        command: `npm run drift -- ${stack} --output ${driftReport(stack)}`,
        keepsReport: true,
      },
      contexts: ["preview"],
    },
    notice(`tell-${name}`, "drift", stack, { reportOf: name, requires: [{ [name]: "terminal" }] }),
  ];
}
