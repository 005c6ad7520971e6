/** An error that the user can fix. Commands print its message without a stack trace. */
export class UserError extends Error {}

/** An error about wrong arguments, or about a missing environment variable that a command needs. */
export class WrongUse extends UserError {}

/** Returns the message of a caught value, which may be an Error or any other value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
