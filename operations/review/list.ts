import { UserError } from "../../lib/errors";
import { hours, lifeLeft, moment } from "../../lib/time";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { extension } from "../stacks/expiry";
import { withoutRelease } from "../stacks/release";
import {
  annotate,
  expiryOf,
  namespaceOfStack,
  readNamespace,
  reviewNamespace,
  reviewNamespaces,
  stackOfSlug,
} from "../stacks/review-namespace";
import { mostStacks } from "../stacks/review-limit";
import { branchOr, stackOf } from "../stacks/review-stack";
import { reviewStates } from "../stacks/review-state";
import { connectToReviews } from "./cluster";

/**
 * `npm run review -- list`: prints every review stack, with its branch, owner, address and expiry.
 * If a stack has no namespace, the command prints only the stack's name and this fact.
 */
export async function reviewList(given: Workspace = defaultWorkspace): Promise<void> {
  const workspace = withoutRelease(given);
  const cluster = await connectToReviews(workspace);
  const [all, states] = await Promise.all([reviewNamespaces(cluster), reviewStates(workspace)]);
  const listed = new Set<string>();
  for (const { branch = "unknown", isOurs, person = "unknown", slug, ...one } of all) {
    if (!isOurs || slug === undefined) continue;
    const stack = stackOfSlug(slug);
    listed.add(stack);
    console.log(`${stack}  ${lifeLeft(expiryOf(one))}`);
    console.log(`  branch ${branch}, owner ${person}`);
    console.log(`  ${await urlOf(stack, workspace)}`);
  }
  const places = listed.size;
  for (const { name } of states.filter((state) => !listed.has(state.name))) {
    console.log(`${name}  has no namespace: no deploy has created it, or a removal has not ended`);
  }
  console.log(`${String(places)} of at most ${String(mostStacks(workspace))} review stacks`);
}

async function urlOf(stack: string, workspace: Workspace): Promise<string> {
  const { host, publicPort, tls } = await settingsOf(stack, workspace);
  const port = publicPort === undefined ? "" : `:${String(publicPort)}`;
  return `${tls ? "https" : "http"}://${host}${port}/`;
}

/**
 * `npm run review -- extend BRANCH --for 24h`: extends the life of a review stack. In this example,
 * the stack expires 24 hours from now, or later.
 */
export async function reviewExtend(
  given: string | undefined,
  duration: string,
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const stack = stackOf(await branchOr(given, workspace));
  const wanted = hours(duration);
  const cluster = await connectToReviews(withoutRelease(workspace));
  const name = namespaceOfStack(stack);
  const object = await readNamespace(name, cluster);
  const review = object && reviewNamespace(object);
  if (review?.isOurs !== true || review.isTerminating) {
    throw new UserError(
      `There is no stack "${stack}" in this cluster: deploy it with npm run review -- up.`,
    );
  }
  const until = extension(review.life, wanted, new Date());
  await annotate(name, { extendedUntil: until.toISOString() }, cluster);
  const life = { ...review.life, extendedUntil: until };
  console.log(`${stack} lives until ${moment(expiryOf({ life }))}`);
}
