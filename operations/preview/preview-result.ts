import { variables } from "../pulumi/run-pulumi";
import { type PreviewOutput, type PreviewRun, runPreview } from "../pulumi/run-preview";
import type { Plan } from "./plan";
import type { Summary } from "./impact/summary";

/** The result of a preview. */
export interface PreviewResult {
  /** Whether the engine finished. If not, `up` may change more than the preview shows. */
  readonly complete: boolean;
  readonly plan: Plan;
  /** Pulumi's own output, without secrets. */
  readonly printed: string;
  /** Removes secrets from a text before it is shown or sent. */
  readonly safe: (text: string) => string;
  readonly summary: Summary;
  /** The summary for a terminal. */
  readonly text: string;
}

/** The modules that read the events. */
async function readers() {
  const [changes, events, plan, summary, text, unreleased, values] = await Promise.all([
    import("./changes/changes"),
    import("../pulumi/events"),
    import("./plan"),
    import("./impact/summary"),
    import("./render/text"),
    import("./unreleased"),
    import("./changes/values"),
  ]);
  return { ...changes, ...events, ...plan, ...summary, ...text, ...unreleased, ...values };
}

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
 */
export async function previewOf(run: PreviewRun): Promise<PreviewResult> {
  // The engine takes more than a second: enough time to load the modules that read its events.
  const [{ exitCode, log, printed }, read] = await Promise.all([ran(run), readers()]);
  const events = read.readEvents(log);
  const secrets = [
    ...read.secretsOf(variables(run.workspace)),
    ...read.sensitiveValues(read.changesOf(events)),
  ];
  const safe = (text: string): string => read.masked(text, secrets);
  const additional = await read.unreleased(run.stack, run.workspace, events);
  const summary = read.summaryOf(run.stack, events, exitCode, additional);
  return {
    complete: exitCode === 0,
    plan: read.planOf(run.stack, events),
    printed: safe(printed),
    safe,
    summary,
    text: safe(read.textOf(summary)),
  };
}
