import { traitsOf } from "../../environments";
import { company } from "../../config/company";
import { type Engine, ambient, variables } from "./engine";
import { stackFile } from "./settings";

/**
 * What encrypts the secrets in a new stack's state: what its file names; for review stacks, which
 * have none, the company's key. SANDBOX_SECRETS_PROVIDER takes the place of that key.
 *
 * @returns undefined where Pulumi's own choice is right: a stack whose file has a passphrase's
 * salt.
 */
export function secretsProviderOf(stack: string, engine: Engine = ambient): string | undefined {
  const { canaryOf = stack, perBranch = false } = traitsOf(stack) ?? {};
  if (perBranch) {
    return variables(engine)["SANDBOX_SECRETS_PROVIDER"] ?? company.reviewSecretsProvider;
  }
  return stackFile(canaryOf, engine).secretsprovider;
}
