import { UserError, duration } from "../tools/progress";
import { company } from "../company";
import { automated } from "./automation";
import { type Target, aim, refuse } from "./deploy";
import { type Engine, ambient, policyPacks, withEnv } from "./engine";
import { explain } from "./explain";
import { expiry, moment } from "./expiry";
import { currentBranch, person } from "./git";
import { takeOverDeadLock } from "./locks";
import { isGiven } from "./release";
import { branchOr, isReview, mostStacks, reviewTags, stackOf } from "./review-stack";
import { reports } from "./reports";
import { secretsProviderOf } from "./secrets-provider";
import { type Tags, createStack, setTags } from "./stacks";

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
  const { cluster, engine, last, stacks } = target;
  await refuse(target, true);
  if (last === undefined) {
    refuseMore(stack, stacks.filter(isReview).length, mostStacks(engine));
    await createStack(stack, secretsProviderOf(stack, engine), engine);
  } else {
    refuseOther(branch, last.tags);
    await takeOverDeadLock(stack, engine);
  }
  const isNew = last?.tags[reviewTags.branch] === undefined;
  if (isNew) await setTags(stack, { [reviewTags.branch]: branch }, engine);
  // The branch is what a sweep must know; the rest is written while Pulumi works.
  const noting = isNew ? noteOrigin(stack, cluster.uid, engine) : undefined;
  const url = await run(target);
  await noting;
  const ends = expiry({
    extendedUntil: undefined,
    lastUpdate: new Date(),
    ttlHours: Number(last?.tags[reviewTags.ttl] ?? company.reviewStacks.ttlHours),
  });
  const took = Date.now() - started.getTime();
  reports.leaveDeployed({ seconds: took / 1000, stack, url });
  console.log(`\n${branch} runs as stack ${stack}: ${url}`);
  console.log(
    `  until ${moment(ends)}, unless it is updated or extended (everything ${duration(took)})`,
  );
}

/** `pulumi up`; when it fails, why. Gives the stack's URL. */
async function run({ cluster, engine, settings }: Target): Promise<string> {
  const began = new Date();
  const automation = await automated(settings.stack, engine);
  try {
    const { url } = await automation.up({ policyPacks: [...policyPacks(engine)] });
    return url ?? settings.host;
  } catch (error) {
    await explain(cluster, settings, began);
    throw error;
  }
}

/** Who made the stack, when, where, and how long it lives. */
async function noteOrigin(stack: string, clusterUid: string, engine: Engine): Promise<void> {
  const tags: Tags = {
    [reviewTags.cluster]: clusterUid,
    [reviewTags.created]: new Date().toISOString(),
    [reviewTags.owner]: await person(engine),
    [reviewTags.ttl]: String(company.reviewStacks.ttlHours),
  };
  await setTags(stack, tags, engine).catch((error: unknown) => {
    console.error(`The stack's tags could not all be written: ${String(error)}`);
  });
}

/** Two branches never share a stack, whatever somebody did by hand. */
function refuseOther(branch: string, tags: Tags): void {
  const other = tags[reviewTags.branch];
  if (other === undefined || other === branch) return;
  throw new UserError(`This stack is branch "${other}"'s, not "${branch}"'s. Nothing was changed.`);
}

function refuseMore(stack: string, there: number, most: number): void {
  if (there < most) return;
  throw new UserError(
    `There are ${String(there)} review stacks, and at most ${String(most)} may be: ${stack} is not made. ` +
      'Take one down ("npm run review -- list" names them), or run "npm run sweep".',
  );
}
