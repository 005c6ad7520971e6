import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../../lib/errors";

/** A command that a person approves in a pipeline: first it only shows what it would change. */
export interface ApprovalOptions {
  /**
   * File that `--preview` wrote, and that a person has approved. The command changes what the file
   * has, or less. Without it, the command changes what it finds.
   */
  readonly approved?: string;
  /** File for what would change. The command then changes nothing. */
  readonly preview?: string;
}

/** What a command would change. */
export interface Shown {
  /** For people, in one line. */
  readonly headline: string;
  readonly stack: string;
  /** What is changed, by its name: a hold, a lock. */
  readonly subjects: readonly string[];
}

/** Writes what would change, for the message that asks and for the command after the approval. */
export function saveShown(file: string, shown: Shown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(shown, undefined, 2)}\n`);
}

/**
 * @throws UserError if the command would change what the file does not have: something has changed
 *   since a person approved it.
 */
export function assertApproved(file: string, { headline, stack, subjects }: Shown): void {
  const approved = approvedIn(file);
  if (approved?.stack !== stack || !Array.isArray(approved.subjects)) {
    throw new UserError(
      `${file} does not say what was approved for stack "${stack}". Write it with --preview. Nothing was changed.`,
    );
  }
  if (subjects.every((one) => approved.subjects?.includes(one))) return;
  throw new UserError(
    `Something other than what was approved is there now: stack "${stack}" ${headline}. ` +
      "Preview it again, and have the new preview approved. Nothing was changed.",
  );
}

function approvedIn(file: string): Partial<Shown> | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Partial<Shown>;
  } catch {
    return undefined;
  }
}
