import { type PreviewOutput, type PreviewRun, runPreview } from "../pulumi/run-preview";
import type { Note, PreviewResult } from "./result-of";

/**
 * Notes for the summary, or a promise of notes. `previewOf` starts the engine before it waits for
 * the promise.
 */
export type Notes = Promise<readonly Note[]> | readonly Note[];

/** Runs a preview. If the stack does not exist yet, runs the preview again with an empty stack. */
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
 * Runs a preview and reads its events. While Pulumi's engine runs, the function prints Pulumi's own
 * diff. To compare a later update with this preview, keep `plan` from the result, and pass `plan`
 * to `exceeds` together with the later plan.
 *
 * @param notes lines that the summary shows in addition to the engine's results
 */
export async function previewOf(run: PreviewRun, notes: Notes = []): Promise<PreviewResult> {
  // The engine runs for more than a second. During this time, Node.js loads the modules that read
  // the engine's events.
  const [output, { resultOf }] = await Promise.all([ran(run), import("./result-of")]);
  return resultOf(run, output, await notes);
}
