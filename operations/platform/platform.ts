import { join } from "node:path";
import { confirm } from "../../lib/confirm";
import { UserError } from "../../lib/errors";
import { kubectlFor } from "../clients/kubectl";
import { recoverState } from "../pulumi/recovery/recover-state";
import { type Workspace, change, defaultWorkspace, runPulumi } from "../pulumi/run-pulumi";
import { stackNames } from "../pulumi/connect";

/**
 * `npm run platform -- up STACK`: shows what would change in the platform, asks for confirmation,
 * and updates the platform's stack. If an earlier update was killed, the command first recovers the
 * state. Plain `pulumi up` does not recover the state.
 */
export async function platformUp(
  stack: string,
  { yes = false }: { readonly yes?: boolean } = {},
  given: Workspace = defaultWorkspace,
): Promise<void> {
  const workspace = { ...given, cwd: join(given.cwd, "platform") };
  if (!(await stackNames(workspace)).includes(stack)) {
    throw new UserError(
      `The platform has no stack "${stack}" in this state backend. docs/bootstrap.md says how to create it.`,
    );
  }
  const kubectl = kubectlFor([], workspace.env);
  await recoverState(stack, { kubectl }, workspace);
  const { code } = await runPulumi(["preview", "--stack", stack, "--non-interactive"], workspace, {
    attach: () => undefined,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (code !== 0) {
    throw new UserError("The preview failed (see its output above). Nothing was changed.");
  }
  await confirm(stack, yes);
  await change("up", stack, workspace);
}
