import { createInterface } from "node:readline/promises";
import { UserError } from "./errors";

/**
 * Lets a person type the stack's name. Where there is no person, `--yes` must have said so.
 *
 * @throws UserError when nobody agreed; nothing was changed then.
 */
export async function confirm(stack: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new UserError(
      `Nobody is here to confirm: add --yes to change stack "${stack}" unasked. Nothing was changed.`,
    );
  }
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const gone = new Promise<string>((resolve) => {
    asking.once("close", () => {
      resolve("");
    });
  });
  const answer = await Promise.race([asking.question(`Type ${stack} to go on: `), gone]);
  asking.close();
  if (answer.trim() !== stack) throw new UserError("Not confirmed. Nothing was changed.");
}
