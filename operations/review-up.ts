import { UserError, duration } from "../tools/progress";
import { company } from "../company";
import { automated } from "./automation";
import { aim, refuse } from "./deploy";
import { type Engine, ambient, policyPacks, withEnv } from "./engine";
import { explain } from "./explain";
import { expiry, moment } from "./expiry";
import { currentBranch, person } from "./git";
import { takeOverDeadLock } from "./locks";
import { isGiven } from "./release";
import { branchOr, isReview, mostStacks, reviewTags, stackOf } from "./review-stack";
import { secretsProviderOf } from "./secrets-provider";
import { type Tags, createStack, outputsOf, setTags, stackNames } from "./stacks";

/** `npm run review -- up [BRANCH]`: makes or updates a branch's own environment, from the code that is checked out. */
export async function reviewUp(given: string | undefined, ambience: Engine = ambient) {
  const started = new Date();
  const branch = await branchOr(given, ambience);
  const stack = stackOf(branch);
  const here = await currentBranch(ambience);
  if (here !== undefined && here !== branch && !isGiven(ambience)) {
    throw new UserError(
      `Branch "${here}" is checked out, not "${branch}": its code would run under the wrong name. Check it out first.`,
    );
  }
  const target = await aim(stack, withEnv(ambience, { RELEASE_BRANCH: branch }));
  const { cluster, engine, last, settings } = target;
  await refuse(target, true);
  if (last === undefined) {
    await refuseMore(stack, engine);
    await createStack(stack, secretsProviderOf(stack, engine), engine);
    await setTags(stack, await firstTags(branch, cluster.uid, engine), engine);
  } else {
    refuseOther(branch, last.tags);
    await takeOverDeadLock(stack, engine);
  }
  const automation = await automated(stack, engine);
  const began = new Date();
  try {
    await automation.up({ policyPacks: [...policyPacks(engine)] });
  } catch (error) {
    await explain(cluster, settings, began);
    throw error;
  }
  if (last !== undefined && last.tags[reviewTags.branch] === undefined) {
    await setTags(stack, await firstTags(branch, cluster.uid, engine), engine);
  }
  const ends = expiry({
    extendedUntil: undefined,
    lastUpdate: new Date(),
    ttlHours: Number(last?.tags[reviewTags.ttl] ?? company.reviewStacks.ttlHours),
  });
  const { url = settings.host } = await outputsOf(stack, engine);
  console.log(`\n${branch} runs as stack ${stack}: ${url}`);
  console.log(
    `  until ${moment(ends)}, unless it is updated or extended (everything ${duration(Date.now() - started.getTime())})`,
  );
}

async function firstTags(branch: string, clusterUid: string, engine: Engine): Promise<Tags> {
  return {
    [reviewTags.branch]: branch,
    [reviewTags.cluster]: clusterUid,
    [reviewTags.created]: new Date().toISOString(),
    [reviewTags.owner]: await person(engine),
    [reviewTags.ttl]: String(company.reviewStacks.ttlHours),
  };
}

/** Two branches never share a stack, whatever somebody did by hand. */
function refuseOther(branch: string, tags: Tags): void {
  const other = tags[reviewTags.branch];
  if (other === undefined || other === branch) return;
  throw new UserError(`This stack is branch "${other}"'s, not "${branch}"'s. Nothing was changed.`);
}

async function refuseMore(stack: string, engine: Engine): Promise<void> {
  const most = mostStacks(engine);
  const there = (await stackNames(engine)).filter(isReview);
  if (there.length < most) return;
  throw new UserError(
    `There are ${String(there.length)} review stacks, and at most ${String(most)} may be: ${stack} is not made. ` +
      'Take one down ("npm run review -- list" names them), or run "npm run sweep".',
  );
}
