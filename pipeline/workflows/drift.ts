import { driftReport, notice, type Stage } from "../compose";

/** On a schedule: what someone has changed in the cluster. */
export const drift: readonly Stage[] = [...driftOf("staging"), ...driftOf("prod")];

/**
 * The job that reads the cluster has a role, and does not know what was told. The job that knows it
 * has no role. It also runs after a failure: a cluster that cannot be read is told once, too.
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
