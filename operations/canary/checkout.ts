import { mainBranch } from "../../components/conventions/ci-roles";
import { UserError } from "../../lib/errors";
import { fetchBranch, head, isAncestor, remoteBranches, uncommitted } from "../clients/git";
import type { Workspace } from "../pulumi/run-pulumi";
import { validateCheckout } from "./preconditions";

/**
 * Checks that the checked-out commit is on `main` and that there are no uncommitted changes. The
 * canary uses the program and the settings of this checkout.
 *
 * @throws UserError if the checked-out commit is not on `main`, if there are uncommitted changes,
 * or if git fails
 */
export async function assertCheckout(workspace: Workspace): Promise<void> {
  const [here, branches] = await Promise.all([head(workspace), remoteBranches(workspace)]);
  const main = branches?.get(mainBranch);
  const known = here !== undefined && main !== undefined;
  if (known && (await isAncestor(here, main, workspace)) === undefined) {
    await fetchBranch(mainBranch, workspace).catch(() => undefined);
  }
  const found = validateCheckout({
    onMain: known ? await isAncestor(here, main, workspace) : undefined,
    uncommitted: await uncommitted(workspace),
  });
  if (found.length > 0) throw new UserError(`${found.join("\n")}\nNothing was changed.`);
}
