import type { Environment } from "../environments";

/** An exception: one object that does not have to satisfy one rule. */
export interface Exception {
  /** Kind and name of the object, in the same form as in messages: `Deployment "orders"`. */
  readonly object: string;
  /**
   * Why the exception exists, and when someone can remove it. Write a reason that people still
   * understand a year later.
   */
  readonly reason: string;
  readonly rule: string;
  /** Environments in which the exception applies. */
  readonly stacks: readonly Environment[];
}

/**
 * All exceptions. There is no other way to exempt an object from a rule, so reviewers see every
 * exception in a change to this file.
 */
export const exceptions: readonly Exception[] = [];
