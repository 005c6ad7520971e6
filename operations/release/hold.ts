import { confirm } from "../../lib/confirm";
import { UserError } from "../../lib/errors";
import { moment } from "../../lib/time";
import { person } from "../clients/git";
import { stackNames } from "../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { type Tags, removeTags, setTags, tagsOf } from "../pulumi/stacks";
import { type ApprovalOptions, assertApproved, saveShown } from "../stacks/approval";

/**
 * Name of the stack tag that marks a stack as held. Of our commands, only a rollback deploys a
 * release to a held stack.
 */
const holdTag = "hold";

/** A hold: the person who holds a stack, the reason, and the time at which the hold started. */
export interface Hold {
  readonly by: string;
  readonly reason: string;
  readonly since: string;
}

export async function setHold(stack: string, reason: string, workspace: Workspace): Promise<void> {
  const hold: Hold = { by: await person(workspace), reason, since: new Date().toISOString() };
  await setTags(stack, { [holdTag]: JSON.stringify(hold) }, workspace);
}

/** Returns the hold of a stack, from the stack's tags. Undefined if no one holds the stack. */
export function holdOf(tags: Tags): Hold | undefined {
  const text = tags[holdTag];
  return text === undefined ? undefined : (JSON.parse(text) as Hold);
}

/** Formats a hold, such as `since 2026-11-23 06:46 UTC by Ada: the export was wrong`. */
export const textOf = ({ by, reason, since }: Hold): string =>
  `since ${moment(new Date(since))} by ${by}: ${reason}`;

/**
 * Returns a text with the person who holds a stack, the reason, and the command that ends the hold.
 * Undefined if no one holds the stack.
 */
export function holdIssue(stack: string, tags: Tags): string | undefined {
  const hold = holdOf(tags);
  return (
    hold &&
    `Stack "${stack}" is held ${textOf(hold)}\nIt gets no release until: npm run resume -- ${stack}`
  );
}

/**
 * Checks that a stack is not held.
 *
 * @throws UserError if someone holds the stack. The error contains the person and the reason.
 */
export function assertNotHeld(stack: string, tags: Tags): void {
  const issue = holdIssue(stack, tags);
  if (issue !== undefined) throw new UserError(`${issue}\nNothing was changed.`);
}

/**
 * `npm run resume -- STACK`: ends a stack's hold, so that the stack gets releases again. The
 * command deploys nothing.
 *
 * @throws UserError if the person does not confirm, or if the approved preview shows a different
 * hold.
 */
export async function resume(
  stack: string,
  { approved, preview, yes = false }: ApprovalOptions & { readonly yes?: boolean } = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const there = (await stackNames(workspace)).includes(stack);
  const tags = there ? await tagsOf(stack, workspace) : {};
  const hold = holdOf(tags);
  const headline = hold === undefined ? "is not held: nothing to do" : `is held ${textOf(hold)}`;
  console.log(`Stack ${stack} ${headline}`);
  const shown = { headline, stack, subjects: hold === undefined ? [] : [JSON.stringify(hold)] };
  if (preview !== undefined) saveShown(preview, shown);
  if (preview !== undefined || hold === undefined) return;
  if (approved !== undefined) assertApproved(approved, shown);
  await confirm(stack, yes);
  await removeTags(stack, [holdTag], workspace);
  console.log(`Stack ${stack} gets releases again. Its release has not changed.`);
}
