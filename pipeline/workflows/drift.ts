import { driftReport, notice, type Stage } from "../compose";

/** Jobs that run on a schedule, and report what someone has changed in the cluster. */
export const drift: readonly Stage[] = [...driftOf("staging"), ...driftOf("prod")];

/**
 * Returns two jobs. The first job has a role and reads the cluster, but does not know what earlier
 * messages reported. The second job knows what earlier messages reported, and has no role. The
 * second job also runs after a failure, and reports once that the first job cannot read the
 * cluster.
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
