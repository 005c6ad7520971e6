/** A fault that the person at the keyboard can mend: printed as its one line, without a stack trace. */
export class UserError extends Error {}
