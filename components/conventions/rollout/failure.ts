const start = "The rollout of Deployment ";

/** Returns the error message of a failed rollout: the name of the Deployment, and the cause. */
export function rolloutFailure(name: string, why: string): string {
  return `${start}"${name}" failed: ${why.replace(/\.$/, "")}.`;
}

/** Whether an error message of an update reports a failed rollout. */
export function isRolloutFailure(error: string): boolean {
  return error.startsWith(start);
}
