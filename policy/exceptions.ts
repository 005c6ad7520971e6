import type { Environment } from "../environments";

/** Exempts one object from one rule. */
export interface Exception {
  /** Kind and name, in the form of the messages: `Deployment "orders"`. */
  readonly object: string;
  /** The reason, for people who read it in a year, and when the exception can be removed. */
  readonly reason: string;
  readonly rule: string;
  /** Environments in which it applies. */
  readonly stacks: readonly Environment[];
}

/** All exceptions. There is no other way around a rule, so each is reviewed here. */
export const exceptions: readonly Exception[] = [];
