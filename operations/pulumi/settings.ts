import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { traitsOf } from "../../environments";
import { type Settings, canaryConfig, configOf, readGit, settingsFrom } from "../../settings";
import { company } from "../../config/company";
import { UserError } from "../../lib/errors";
import { type Workspace, variables } from "./run-pulumi";

interface StackFile {
  readonly config?: unknown;
  readonly secretsprovider?: string;
}

/** Reads a stack settings file (`Pulumi.STACK.yaml`). Empty if the file does not exist. */
function stackFile(stack: string, { cwd }: Workspace): StackFile {
  const file = join(cwd, `Pulumi.${stack}.yaml`);
  return existsSync(file) ? ((parse(readFileSync(file, "utf8")) as StackFile | null) ?? {}) : {};
}

/**
 * Returns the settings of a stack, with the values that the program will have. A canary has no
 * stack settings file, and uses the file of production.
 *
 * @throws UserError with every issue in the settings in one message.
 */
export async function settingsOf(stack: string, workspace: Workspace): Promise<Settings> {
  const canaryOf = traitsOf(stack)?.canaryOf;
  const config = configOf(stackFile(canaryOf ?? stack, workspace));
  const git = await readGit(workspace.cwd);
  try {
    return settingsFrom({
      config: canaryOf === undefined ? config : canaryConfig(config),
      env: variables(workspace),
      git,
      stack,
    });
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Returns the secrets provider of a new stack, from the stack settings file. Review stacks have no
 * such file, so they use the company's key. SANDBOX_SECRETS_PROVIDER overrides this key.
 *
 * @returns undefined if Pulumi must choose the secrets provider, such as for a stack with a
 * passphrase.
 */
export function secretsProviderOf(stack: string, workspace: Workspace): string | undefined {
  const { canaryOf = stack, perBranch = false } = traitsOf(stack) ?? {};
  if (perBranch) {
    return variables(workspace)["SANDBOX_SECRETS_PROVIDER"] ?? company.reviewSecretsProvider;
  }
  return stackFile(canaryOf, workspace).secretsprovider;
}
