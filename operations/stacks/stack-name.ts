import { stackForms, traitsOf } from "../../environments";
import { WrongUse } from "../../lib/errors";

/**
 * Checks that a stack may have this name.
 *
 * @throws WrongUse with the possible names, if the stack may not have this name
 */
export function assertStackName(stack: string): void {
  if (traitsOf(stack) !== undefined) return;
  throw new WrongUse(`Unknown stack "${stack}". Expected one of: ${stackForms}`);
}
