import { UserError } from "../../lib/errors";
import type { Cluster } from "../clients/kubectl";
import type { Workspace } from "../pulumi/run-pulumi";
import { assertNoneExists } from "./foreign-objects";
import { fieldConflicts } from "../pulumi/field-managers";
import { previewOf } from "../preview/preview-result";
import type { Note } from "../preview/result-of";
import { reports } from "../../lib/reports";

/**
 * Shows what an update will change in a stack, and the impact on the running service. The commands
 * `deploy`, `canary`, `review` and `up` use this function.
 *
 * @param options.approved - file with the plan of an approved preview
 * @param options.cluster - cluster of the stack
 * @param options.notes - lines that the preview shows in addition to the changes, such as what
 * someone has changed in the cluster
 * @returns what changes, in one line
 * @throws UserError if the preview failed, if the update would change more than the approved plan,
 * or if the update would create an object that exists and belongs to someone else
 */
export async function showPreview(
  stack: string,
  workspace: Workspace,
  {
    approved,
    cluster,
    notes,
  }: {
    readonly approved?: string | undefined;
    readonly cluster: Pick<Cluster, "kubectl">;
    readonly notes?: readonly Note[];
  },
): Promise<string> {
  const { exceeds, loadPlan } = await import("../preview/plan");
  const plan = approved === undefined ? undefined : loadPlan(approved);
  const seen = await previewOf({ workspace, stack, to: process.stdout }, notes);
  process.stdout.write(`\n${seen.text}`);
  if (!seen.complete) {
    const { errors, headline, notes } = seen.summary;
    // If Pulumi or the cluster refuses a change for a known reason, the summary has no errors. The
    // reason is then in the summary's headline and notes.
    reports.addCause(seen.safe((errors.length > 0 ? errors : [headline, ...notes]).join("\n")));
    throw new UserError(
      [
        "The preview failed (see its output above). Fix the cause and run the command again. Nothing was changed.",
        ...fieldConflicts(errors.join("\n")),
      ].join("\n"),
    );
  }
  const more = plan === undefined ? [] : exceeds(plan, seen.plan);
  if (more.length > 0) {
    const shown = [
      ...more.slice(0, 20),
      ...(more.length > 20 ? [`and ${String(more.length - 20)} more`] : []),
    ];
    throw new UserError(
      `More would change than was approved:\n- ${shown.join("\n- ")}\nPreview the stack again, and ask for approval of the new preview. Nothing was changed.`,
    );
  }
  await assertNoneExists(seen.created, cluster);
  return seen.summary.headline;
}
