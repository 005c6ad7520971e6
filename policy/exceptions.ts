import type { Environment } from "../environments";

/** Exempts one object from one rule. */
export interface Exception {
  /** Kind and name, in the form of the messages: `Deployment "orders"`. */
  readonly object: string;
  /**
   * Why the exception exists, and when someone can remove the exception. Write for people who read
   * the reason in a year.
   */
  readonly reason: string;
  readonly rule: string;
  /** Environments in which the exception applies. */
  readonly stacks: readonly Environment[];
}

/**
 * All exceptions. An object can break a rule only with an entry in this list, so a reviewer sees
 * each exception.
 */
export const exceptions: readonly Exception[] = [];
