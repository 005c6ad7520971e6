import { type PreviewOutput, type PreviewRun, runPreview } from "../pulumi/run-preview";
import type { Note, PreviewResult } from "./result-of";

/** Notes for the summary, or a promise of them. The engine runs before the promise is awaited. */
export type Notes = Promise<readonly Note[]> | readonly Note[];

/** Runs the engine. If the stack does not exist yet, runs the engine again with an empty stack. */
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
 * Runs a preview and reads its events. The engine prints Pulumi's own diff while it runs.
 * To apply the changes later, keep `plan` and call `exceeds`, which compares another plan with it.
 *
 * @param notes lines that the summary shows in addition to the engine's results
 */
export async function previewOf(run: PreviewRun, notes: Notes = []): Promise<PreviewResult> {
  // The engine runs for more than a second. The modules that read its events load in this time.
  const [output, { resultOf }] = await Promise.all([ran(run), import("./result-of")]);
  return resultOf(run, output, await notes);
}
