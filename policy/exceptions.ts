import type { Environment } from "../environments";

/** Exempts one object from one rule. */
export interface Exception {
  /** Kind and name, in the form of the messages: `Deployment "orders"`. */
  readonly object: string;
  /** Why the exception exists, for people who read this in a year, and when it can be removed. */
  readonly reason: string;
  readonly rule: string;
  /** Environments in which the exception applies. */
  readonly stacks: readonly Environment[];
}

/**
 * All exceptions. An object can break a rule only with an entry here, so each exception is
 * reviewed.
 */
export const exceptions: readonly Exception[] = [];
