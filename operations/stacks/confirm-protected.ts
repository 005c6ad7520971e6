import { traitsOf } from "../../environments";
import { confirm } from "../../lib/confirm";

/**
 * Asks for confirmation before a command that does not deploy, such as a command that starts a Job.
 * The function asks only for a stack of a protected branch, such as staging. If `yes` is true, the
 * function does not ask.
 *
 * @param action what the command will do in this stack, such as `debug stack`
 * @throws UserError if the user does not confirm. The error says that the command has changed
 * nothing.
 */
export async function confirmProtected(stack: string, yes: boolean, action: string): Promise<void> {
  await confirm(stack, yes || traitsOf(stack)?.protectedBranch !== true, action);
}
