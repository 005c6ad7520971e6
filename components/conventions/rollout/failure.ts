const start = "The rollout of Deployment ";

/** Returns the error of a failed rollout: the name of the Deployment, and why it failed. */
export function rolloutFailure(name: string, why: string): string {
  return `${start}"${name}" failed: ${why.replace(/\.$/, "")}.`;
}

/** Whether an error of an update says that a rollout failed. */
export function isRolloutFailure(error: string): boolean {
  return error.startsWith(start);
}
