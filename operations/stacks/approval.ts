import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../../lib/errors";

/**
 * Options of a command that a person approves in a pipeline. The command first runs with `preview`
 * and only shows what it would change.
 */
export interface ApprovalOptions {
  /**
   * File that `--preview` wrote, and whose content a person has approved. With this file, the
   * command changes only what the file lists. Without this file, the command changes everything
   * that `--preview` would list.
   */
  readonly approved?: string;
  /**
   * File into which the command writes the changes that it would make. With this option, the
   * command changes nothing.
   */
  readonly preview?: string;
}

/** What a command would change. */
export interface Shown {
  /** What the command would change, in one line for people. */
  readonly headline: string;
  readonly stack: string;
  /** Texts that identify what the command would change, such as a hold or a lock. */
  readonly subjects: readonly string[];
}

/**
 * Writes a file with the changes that a command would make. `npm run notify` reads this file for
 * the message that asks for approval. After the approval, the command itself reads the file.
 */
export function saveShown(file: string, shown: Shown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(shown, undefined, 2)}\n`);
}

/**
 * Checks that a person has approved everything that the command would change.
 *
 * @throws UserError if the file is not about the stack, or does not list everything that the
 * command would change
 */
export function assertApproved(file: string, { headline, stack, subjects }: Shown): void {
  const approved = approvedIn(file);
  if (approved?.stack !== stack || !Array.isArray(approved.subjects)) {
    throw new UserError(
      `${file} does not say what was approved for stack "${stack}". Write this file with --preview. Nothing was changed.`,
    );
  }
  if (subjects.every((one) => approved.subjects?.includes(one))) return;
  throw new UserError(
    `This is not what was approved: stack "${stack}" ${headline}. ` +
      "Make a new preview, and have it approved. Nothing was changed.",
  );
}

function approvedIn(file: string): Partial<Shown> | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Partial<Shown>;
  } catch {
    return undefined;
  }
}
