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
 * Returns the settings of a stack, with the same values that the Pulumi program will read. A canary
 * has no stack settings file, so for a canary, this function reads production's file.
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
 * Returns the secrets provider of a new stack, from its stack settings file. Review stacks have no
 * stack settings file, so they use the provider in config/company.ts. The environment variable
 * SANDBOX_SECRETS_PROVIDER overrides this provider.
 *
 * @returns undefined if the stack settings file has no `secretsprovider`, for example because the
 * stack uses a passphrase. For this stack, Pulumi chooses the provider.
 */
export function secretsProviderOf(stack: string, workspace: Workspace): string | undefined {
  const { canaryOf = stack, perBranch = false } = traitsOf(stack) ?? {};
  if (perBranch) {
    return variables(workspace)["SANDBOX_SECRETS_PROVIDER"] ?? company.reviewSecretsProvider;
  }
  return stackFile(canaryOf, workspace).secretsprovider;
}
