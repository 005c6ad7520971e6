import { readEvents } from "../pulumi/events";
import { type Key, isReadable, keyOf } from "../pulumi/live-objects";
import type { PreviewOutput, PreviewRun } from "../pulumi/run-preview";
import { variables } from "../pulumi/run-pulumi";
import { typeIn } from "../pulumi/urn";
import { type Change, changesOf } from "./changes/changes";
import { masked } from "../../components/conventions/secrets/masked";
import { secretsOf, sensitiveValues } from "./changes/values";
import { migrationNotes } from "./impact/migrations";
import { scheduleNotes } from "./impact/schedules";
import { type Summary, summaryOf } from "./impact/summary";
import { type Plan, planOf } from "./plan";
import { textOf } from "./render/text";
import { limitReached } from "../stacks/review-limit";
import { isReview } from "../stacks/review-stack";
import { unreleased } from "./unreleased";

/**
 * A line for the summary. The summary shows a line in `ifPodsChange` only if the service's pods
 * change.
 */
export type Note = string | { readonly ifPodsChange: string };

/** The result of a preview. */
export interface PreviewResult {
  /**
   * Whether the engine finished without an error. After an error, `up` may change more than the
   * preview shows.
   */
  readonly complete: boolean;
  /**
   * Objects that a deploy would create. The list contains only objects of types that every role
   * with access to a stack may read.
   */
  readonly created: readonly Key[];
  readonly plan: Plan;
  /** Pulumi's own output, without secrets. */
  readonly printed: string;
  /**
   * Masks the secrets in a text. The caller must use this function for every text that the caller
   * shows or sends.
   */
  readonly safe: (text: string) => string;
  readonly summary: Summary;
  /** The summary for a terminal. */
  readonly text: string;
}

/**
 * Returns a note if a deploy will fail because the cluster already has the largest allowed number
 * of review stacks.
 */
async function limitNotes(
  stack: string,
  changes: readonly Change[],
  workspace: PreviewRun["workspace"],
): Promise<readonly string[]> {
  const isFirst = changes.some(
    ({ kind, operation }) => kind === "Namespace" && operation === "create",
  );
  if (!isFirst || !isReview(stack)) return [];
  const { connectToReviews } = await import("../review/cluster");
  const reached = await limitReached(stack, await connectToReviews(workspace), workspace);
  return reached === undefined ? [] : [`a deploy will be refused: ${reached}`];
}

/**
 * Whether a change may start new pods of the service. New pods run the database migration first.
 */
const replacesPods = ({ fields, kind, operation }: Change): boolean =>
  kind === "Deployment" &&
  (operation !== "update" || fields.some(({ path }) => path.startsWith("spec.template")));

/** Creates the result of a preview from the engine's output and event log. */
export async function resultOf(
  { stack, workspace }: PreviewRun,
  { exitCode, log, printed }: PreviewOutput,
  notes: readonly Note[],
): Promise<PreviewResult> {
  const events = readEvents(log);
  const changes = changesOf(events);
  const secrets = [...secretsOf(variables(workspace)), ...sensitiveValues(changes)];
  const safe = (text: string): string => masked(text, secrets);
  const more = [
    ...migrationNotes(changes),
    ...scheduleNotes(changes, new Date()),
    ...notes.flatMap((note) =>
      typeof note === "string" ? [note] : changes.some(replacesPods) ? [note.ifPodsChange] : [],
    ),
    ...(await unreleased(stack, workspace, events)),
    ...(await limitNotes(stack, changes, workspace)),
  ];
  const summary = summaryOf(stack, events, exitCode, more);
  return {
    complete: exitCode === 0,
    created: changes
      .filter(({ operation, urn }) => operation === "create" && isReadable(typeIn(urn)))
      .map(keyOf),
    plan: planOf(stack, events),
    printed: safe(printed),
    safe,
    summary,
    text: safe(textOf(summary)),
  };
}
