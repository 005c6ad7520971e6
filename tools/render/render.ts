import { type Workspace, defaultWorkspace } from "../../operations/pulumi/run-pulumi";
import { isObject, manifestOf, placeholders, yamlOf } from "./manifests";
import { declaredIn } from "./program";
import { settingsToRender } from "./settings";

export interface RenderOptions {
  readonly json?: boolean;
}

/**
 * `npm run render -- STACK`: prints the manifests of a stack's objects. The command needs no
 * cluster.
 *
 * @throws UserError if no stack may have this name, or if the settings are wrong.
 */
export async function render(
  stack: string,
  { json = false }: RenderOptions = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  // Pulumi's SDK records a stack trace for each resource. With source maps, Node.js would map each
  // stack trace to TypeScript lines, and this work would take most of the command's time.
  process.setSourceMapsEnabled(false);
  const settings = await settingsToRender(stack, workspace);
  const objects = (await declaredIn(settings)).filter(isObject);
  const text = json
    ? `${JSON.stringify({ objects: objects.map(manifestOf), placeholders, stack, version: 1 }, undefined, 2)}\n`
    : yamlOf(objects);
  const { branch, commit } = settings.release;
  process.stderr.write(
    `The ${String(objects.length)} objects of stack ${stack}, for commit ${commit} of branch ${branch}:\n`,
  );
  for (const [placeholder, meaning] of Object.entries(placeholders)) {
    if (text.includes(placeholder)) process.stderr.write(`  ${placeholder}: ${meaning}\n`);
  }
  process.stdout.write(text);
}
