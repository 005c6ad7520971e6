/** An error that the user can fix: printed as one line, without a stack trace. */
export class UserError extends Error {}

/** What a caught value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
