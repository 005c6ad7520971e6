import { traitsOf } from "../../environments";
import { company } from "../../config/company";
import { type Workspace, variables } from "./run-pulumi";
import { stackFile } from "./settings";

/**
 * The secrets provider of a new stack: the one in its file. Review stacks have no file, so they use
 * the company's key. SANDBOX_SECRETS_PROVIDER overrides that key.
 *
 * @returns undefined if Pulumi's own choice is right: a stack whose file has a passphrase's salt.
 */
export function secretsProviderOf(stack: string, workspace: Workspace): string | undefined {
  const { canaryOf = stack, perBranch = false } = traitsOf(stack) ?? {};
  if (perBranch) {
    return variables(workspace)["SANDBOX_SECRETS_PROVIDER"] ?? company.reviewSecretsProvider;
  }
  return stackFile(canaryOf, workspace).secretsprovider;
}
