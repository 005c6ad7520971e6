import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { service } from "../../config/service";
import { UserError } from "../../lib/errors";
import { type Workspace, ask, withEnv } from "../pulumi/run-pulumi";

/** What Pulumi says about a stack that was never deployed. */
const unknownStack = /no stack named '[^']*' found/;

/**
 * Whether a preview failed only because the stack does not exist yet.
 *
 * @throws UserError if the stack's file names its encryption key: a preview may not use that key
 * for another state.
 */
export async function isNew(
  stack: string,
  workspace: Workspace,
  printed: string,
): Promise<boolean> {
  if (!unknownStack.test(printed)) return false;
  if (!existsSync(join(workspace.cwd, `Pulumi.${stack}.yaml`))) return true;
  const { secretsProviderOf } = await import("../pulumi/settings");
  const provider = secretsProviderOf(stack, workspace);
  // Without it Pulumi takes a passphrase, and removes the line from the file.
  const key = provider === undefined ? "" : ` --secrets-provider '${provider}'`;
  throw new UserError(
    `Stack "${stack}" does not exist yet, so there is nothing to compare with. Create it once, empty: ` +
      `pulumi stack init ${stack} --no-select${key}, and commit what the command writes into Pulumi.${stack}.yaml`,
  );
}

/**
 * Previews a stack that does not exist, with its own empty state, which is deleted afterwards. A
 * role that previews may not write into the real state.
 */
export async function asNew<T>(
  stack: string,
  workspace: Workspace,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const state = mkdtempSync(join(tmpdir(), `${service}-new-`));
  const file = join(workspace.cwd, `Pulumi.${stack}.yaml`);
  const remove = (): void => {
    rmSync(state, { force: true, recursive: true });
    // Pulumi wrote the encryption settings into this file.
    rmSync(file, { force: true });
  };
  process.once("exit", remove);
  try {
    const empty = withEnv(workspace, {
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE: "",
    });
    await ask(["stack", "init", stack, "--no-select", "--secrets-provider", "passphrase"], empty);
    return await work(empty);
  } finally {
    remove();
    process.off("exit", remove);
  }
}
