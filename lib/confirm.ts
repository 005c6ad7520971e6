import { createInterface } from "node:readline/promises";
import { UserError } from "./errors";

/**
 * Asks the user to type the stack's name, unless `yes` is true. Without a terminal, `yes` is
 * required.
 *
 * @throws UserError if the user does not confirm. The error says that the command has changed
 * nothing.
 */
export async function confirm(stack: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new UserError(
      `No terminal to confirm on. Pass --yes to change stack "${stack}" without a prompt. Nothing was changed.`,
    );
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new Promise<string>((resolve) => {
    asking.once("close", () => {
      resolve("");
    });
  });
  const answer = await Promise.race([asking.question(`Type ${stack} to continue:  `), gone]);
  asking.close();
  if (answer.trim() !== stack) throw new UserError("Not confirmed. Nothing was changed.");
}
