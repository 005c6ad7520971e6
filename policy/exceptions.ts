import type { Environment } from "../environments";

/** One object that need not keep one rule. */
export interface Exception {
  /** Kind and name, as messages have them: `Deployment "services-orders"`. */
  readonly object: string;
  /** Why, for those who read it in a year; and what would end it. */
  readonly reason: string;
  readonly rule: string;
  /** Environments in which it holds. */
  readonly stacks: readonly Environment[];
}

/** All of them: there is no other way around a rule, and each of them is reviewed here. */
export const exceptions: readonly Exception[] = [];
