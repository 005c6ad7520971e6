import { duration } from "../../lib/time";
import { UserError } from "../../lib/errors";
import { company } from "../../config/company";
import { recordDeploy, assertDeployable, update } from "../deploy/deploy";
import { resolveTarget } from "../deploy/target";
import { type Workspace, defaultWorkspace, withEnv } from "../pulumi/run-pulumi";
import { ensureStack } from "../deploy/ensure-stack";
import { expiry, moment } from "../stacks/expiry";
import { currentBranch } from "../clients/git";
import { isGiven } from "../stacks/release";
import { branchOr, reviewTags, stackOf } from "../stacks/review-stack";
import { outputsOf } from "../pulumi/stacks";
import { reports } from "../../lib/reports";
import { showPreview } from "../deploy/show-preview";

export interface ReviewUpOptions {
  /** Runs older code than what the stack runs. */
  readonly allowOlder?: boolean;
  /** File with the plan of the approved preview. Without it there is no preview. */
  readonly approved?: string;
}

/** `npm run review -- up [BRANCH]`: creates or updates a review stack from the checkout. */
export async function reviewUp(
  given: string | undefined,
  options: ReviewUpOptions = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const started = new Date();
  const branch = await branchOr(given, workspace);
  const stack = stackOf(branch);
  const here = await currentBranch(workspace);
  if (here !== undefined && here !== branch && !isGiven(workspace)) {
    throw new UserError(
      `Branch "${here}" is checked out, not "${branch}": its code would run under the wrong name. Check it out first.`,
    );
  }
  const target = await resolveTarget(stack, withEnv(workspace, { RELEASE_BRANCH: branch }));
  await assertDeployable(target, options.allowOlder ?? false);
  const { approved } = options;
  // Also for a stack that does not exist: nothing is created before the approval is checked.
  const shown =
    approved === undefined ? {} : { changed: await showPreview(stack, target.workspace, approved) };
  await ensureStack(target);
  await update(target);
  const { url = target.settings.host } = await outputsOf(stack, target.workspace);
  await recordDeploy(target);
  const ends = expiry({
    extendedUntil: undefined,
    lastUpdate: new Date(),
    ttlHours: Number(target.last?.tags[reviewTags.ttl] ?? company.reviewStacks.ttlHours),
  });
  const took = Date.now() - started.getTime();
  reports.leaveDeployed({ ...shown, seconds: took / 1000, stack, url });
  console.log(`\n${branch} runs as stack ${stack}: ${url}`);
  console.log(
    `  until ${moment(ends)}, unless it is updated or extended (everything ${duration(took)})`,
  );
}
