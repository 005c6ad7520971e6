import { duration, moment } from "../../lib/time";
import { UserError } from "../../lib/errors";
import { type DeployOptions, assertDeployable, updateAndRecord } from "../deploy/deploy";
import { resolveTarget } from "../deploy/target";
import { type Workspace, defaultWorkspace, withEnv } from "../pulumi/run-pulumi";
import { ensureStack } from "../deploy/ensure-stack";
import { takeBack } from "../drift/take-back";
import { forcing } from "../pulumi/field-managers";
import { currentBranch } from "../clients/git";
import { isGiven } from "../stacks/release";
import { assertBelowLimit } from "../stacks/review-limit";
import {
  expiryOf,
  namespaceOfStack,
  readNamespace,
  reviewNamespace,
} from "../stacks/review-namespace";
import { branchOr, stackOf } from "../stacks/review-stack";
import { showPreview } from "../deploy/show-preview";
import { tellPullRequest } from "./tell";

/**
 * Options of `npm run review -- up`. The command runs a preview only if `approved` is set. The
 * command then compares this preview with the approved preview.
 */
export type ReviewUpOptions = Pick<DeployOptions, "allowOlder" | "approved">;

/**
 * `npm run review -- up [BRANCH]`: creates or updates the review stack of a branch, from the
 * checked-out code.
 */
export async function reviewUp(
  given: string | undefined,
  options: ReviewUpOptions = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const started = Date.now();
  const branch = await branchOr(given, workspace);
  const stack = stackOf(branch);
  const here = await currentBranch(workspace);
  if (here !== undefined && here !== branch && !isGiven(workspace)) {
    throw new UserError(
      `Branch "${here}" is checked out, not "${branch}": the stack of "${branch}" would run the code of "${here}". Check out "${branch}" first.`,
    );
  }
  const target = await resolveTarget(stack, withEnv(workspace, { RELEASE_BRANCH: branch }));
  await assertDeployable(target, options.allowOlder ?? false);
  const { approved } = options;
  const { cluster } = target;
  await assertBelowLimit(stack, cluster, workspace);
  // If the update would change more than the approved preview shows, `showPreview` throws an error,
  // and the command creates nothing.
  const preview =
    approved === undefined
      ? {}
      : {
          changed: await showPreview(stack, withEnv(target.workspace, forcing), {
            approved,
            cluster,
          }),
        };
  await takeBack(await ensureStack(target), cluster);
  const { took, url } = await updateAndRecord(target, started, preview).catch(
    async (error: unknown) => {
      await tellPullRequest(stack, undefined, workspace);
      throw error;
    },
  );
  await tellPullRequest(stack, url, workspace);
  // The stack is deployed. So the command succeeds, even if it can no longer read the expiry.
  const namespace = await readNamespace(namespaceOfStack(stack), cluster).catch(() => undefined);
  const until =
    namespace === undefined
      ? ""
      : `until ${moment(expiryOf(reviewNamespace(namespace)))}, unless it is updated or extended `;
  console.log(`\n${branch} runs as stack ${stack}: ${url}`);
  console.log(`  ${until}(everything ${duration(took)})`);
}
