import { type PreviewOutput, type PreviewRun, runPreview } from "../pulumi/run-preview";
import type { Note, PreviewResult } from "./result-of";

/** What the caller has, or will have when the engine ends. */
export type Notes = Promise<readonly Note[]> | readonly Note[];

/** Runs the engine. If the stack does not exist yet, runs it again with an empty stack. */
async function ran(run: PreviewRun): Promise<PreviewOutput> {
  const result = await runPreview(run);
  if (result.exitCode === 0) return result;
  const { asNew, isNew } = await import("./new-stack");
  const { workspace, stack, to } = run;
  if (!(await isNew(stack, workspace, result.printed))) return result;
  to.write(`Stack ${stack} does not exist yet: this is what its first deploy would create.\n`);
  return asNew(stack, workspace, async (empty) => runPreview({ ...run, workspace: empty }));
}

/**
 * Runs the engine once and reads its events. The engine has already printed Pulumi's own diff.
 * To apply the changes next: keep `plan`, and compare with it by `exceeds`.
 *
 * @param notes what the engine does not know, for the summary
 */
export async function previewOf(run: PreviewRun, notes: Notes = []): Promise<PreviewResult> {
  // The engine takes more than a second: enough time to load the modules that read its events.
  const [output, { resultOf }] = await Promise.all([ran(run), import("./result-of")]);
  return resultOf(run, output, await notes);
}
