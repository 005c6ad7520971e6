import { createInterface } from "node:readline/promises";
import { UserError } from "./errors";

/**
 * Asks the user to type a name, such as the name of the stack that the command will change. If
 * `yes` is true, the function does not ask. Without a terminal, `yes` must be true.
 *
 * @param action what the command will do with the thing that has this name
 * @throws UserError if the user does not confirm. The error says that the command has changed
 * nothing.
 */
export async function confirm(name: string, yes: boolean, action = "change stack"): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new UserError(
      `No terminal to confirm on. Pass --yes to ${action} "${name}" without a prompt. Nothing was changed.`,
    );
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new Promise<string>((resolve) => {
    asking.once("close", () => {
      resolve("");
    });
  });
  const answer = await Promise.race([asking.question(`Type ${name} to continue:  `), gone]);
  asking.close();
  if (answer.trim() !== name) throw new UserError("Not confirmed. Nothing was changed.");
}
