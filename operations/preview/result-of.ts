import { readEvents } from "../pulumi/events";
import type { PreviewOutput, PreviewRun } from "../pulumi/run-preview";
import { variables } from "../pulumi/run-pulumi";
import { changesOf } from "./changes/changes";
import { masked, secretsOf, sensitiveValues } from "./changes/values";
import { type Summary, summaryOf } from "./impact/summary";
import { type Plan, planOf } from "./plan";
import { textOf } from "./render/text";
import { unreleased } from "./unreleased";

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

/** Reads what the engine has written. */
export async function resultOf(
  { stack, workspace }: PreviewRun,
  { exitCode, log, printed }: PreviewOutput,
  notes: readonly string[],
): Promise<PreviewResult> {
  const events = readEvents(log);
  const secrets = [...secretsOf(variables(workspace)), ...sensitiveValues(changesOf(events))];
  const safe = (text: string): string => masked(text, secrets);
  const more = [...notes, ...(await unreleased(stack, workspace, events))];
  const summary = summaryOf(stack, events, exitCode, more);
  return {
    complete: exitCode === 0,
    plan: planOf(stack, events),
    printed: safe(printed),
    safe,
    summary,
    text: safe(textOf(summary)),
  };
}
