import { stackForms, traitsOf } from "../../environments";
import { UserError } from "../../lib/errors";

/** @throws UserError for a name that no stack may have: it lists the names that there may be. */
export function assertStackName(stack: string): void {
  if (traitsOf(stack) !== undefined) return;
  throw new UserError(`Unknown stack "${stack}". Expected one of: ${stackForms}`);
}
