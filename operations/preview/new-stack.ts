import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { service } from "../../config/service";
import { UserError } from "../../lib/errors";
import { type Workspace, ask, withEnv } from "../pulumi/run-pulumi";

/** Matches Pulumi's error about a stack that does not exist. */
const unknownStack = /no stack named '[^']*' found/;

/**
 * Whether a preview failed because the stack does not exist and has no stack settings file.
 *
 * @throws UserError if the stack does not exist but its stack settings file exists. The file can
 * contain the address of an encryption key. A preview must not use this key for a temporary state
 * backend.
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
  // Without the option `--secrets-provider`, Pulumi uses a passphrase and removes `secretsprovider`
  // from the stack settings file.
  const key = provider === undefined ? "" : ` --secrets-provider '${provider}'`;
  throw new UserError(
    `Stack "${stack}" does not exist yet, so the preview has nothing to compare with. Create the empty stack once: ` +
      `pulumi stack init ${stack} --no-select${key}, and commit what the command writes into Pulumi.${stack}.yaml`,
  );
}

/**
 * Runs `work` with a new state backend in which the stack exists and is empty, and then deletes
 * this backend. The preview cannot create the stack in the real backend, because the IAM role for
 * previews must not write to that backend.
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
    // `pulumi stack init` created this stack settings file, with the encryption settings of the
    // temporary stack.
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
