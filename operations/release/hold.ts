import { confirm } from "../../lib/confirm";
import { UserError } from "../../lib/errors";
import { moment } from "../../lib/time";
import { person } from "../clients/git";
import { stackNames } from "../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { type Tags, removeTags, setTags, tagsOf } from "../pulumi/stacks";

/** Tag of a stack that must not get another release. */
const holdTag = "hold";

/** The person that holds a stack, and the reason. */
interface Hold {
  readonly by: string;
  readonly reason: string;
  readonly since: string;
}

export async function setHold(stack: string, reason: string, workspace: Workspace): Promise<void> {
  const hold: Hold = { by: await person(workspace), reason, since: new Date().toISOString() };
  await setTags(stack, { [holdTag]: JSON.stringify(hold) }, workspace);
}

function holdOf(tags: Tags): Hold | undefined {
  const text = tags[holdTag];
  return text === undefined ? undefined : (JSON.parse(text) as Hold);
}

/** @throws UserError that says who holds the stack, and why. */
export function assertNotHeld(stack: string, tags: Tags): void {
  const hold = holdOf(tags);
  if (hold === undefined) return;
  throw new UserError(
    `Stack "${stack}" is held since ${moment(new Date(hold.since))} by ${hold.by}: ${hold.reason}\n` +
      `It gets no release until: npm run resume -- ${stack}\nNothing was changed.`,
  );
}

/** `npm run resume -- STACK`: lets a held stack get releases again. Deploys nothing. */
export async function resume(
  stack: string,
  { yes = false }: { readonly yes?: boolean } = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const there = (await stackNames(workspace)).includes(stack);
  const hold = there ? holdOf(await tagsOf(stack, workspace)) : undefined;
  if (hold === undefined) {
    console.log(`Stack ${stack} is not held: nothing to do.`);
    return;
  }
  console.log(`Held since ${moment(new Date(hold.since))} by ${hold.by}: ${hold.reason}`);
  await confirm(stack, yes);
  await removeTags(stack, [holdTag], workspace);
  console.log(`Stack ${stack} gets releases again. Its release has not changed.`);
}
