import { UserError } from "../../lib/errors";
import type { Engine } from "../pulumi/engine";
import { look } from "../preview/preview-result";
import { reports } from "../../lib/reports";

/**
 * What will change in a stack, and what that does to the running service. The one place where every
 * command shows it.
 *
 * @param approved - file with the plan of an approved preview
 * @returns what changes, in one line
 * @throws UserError when Pulumi did not come to its end, and when more would change than was
 * approved
 */
export async function showPreview(
  stack: string,
  engine: Engine,
  approved?: string,
): Promise<string> {
  const { larger, loadPlan } = await import("../preview/plan");
  const plan = approved === undefined ? undefined : loadPlan(approved);
  const seen = await look({ engine, stack, to: process.stdout });
  process.stdout.write(`\n${seen.text}`);
  if (!seen.complete) {
    const { errors, headline, notes } = seen.summary;
    // What Pulumi refuses for a reason that is known is a danger, and no error.
    reports.addCause(seen.safe((errors.length > 0 ? errors : [headline, ...notes]).join("\n")));
    throw new UserError(
      "The preview failed (see its output above). Fix the cause and run the command again. Nothing was changed.",
    );
  }
  const more = plan === undefined ? [] : larger(plan, seen.plan);
  if (more.length > 0) {
    const shown = [
      ...more.slice(0, 20),
      ...(more.length > 20 ? [`and ${String(more.length - 20)} more`] : []),
    ];
    throw new UserError(
      `More would change than was approved:\n- ${shown.join("\n- ")}\nPreview it again, and have that approved. Nothing was changed.`,
    );
  }
  return seen.summary.headline;
}
