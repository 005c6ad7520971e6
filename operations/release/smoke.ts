import { setTimeout as sleep } from "node:timers/promises";
import { shortCommit } from "../../components/conventions/names";
import { duration } from "../../lib/time";
import { UserError } from "../../lib/errors";
import { type Answer, ask } from "../clients/http";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { stackNames } from "../pulumi/connect";
import { outputsOf } from "../pulumi/stacks";
import { assertStillRuns, type Deployment, deploymentIn } from "./deployed";

/**
 * Longest time that the command waits until the release answers, in milliseconds. A new DNS name or
 * certificate may need some minutes before it works everywhere.
 */
const patienceMs = 180_000;
const pauseMs = 2_000;
/**
 * Number of requests that must succeed after the first correct response. If the service has only a
 * few pods, each pod usually gets at least one of these requests.
 */
const answers = 10;

/**
 * One check of a response. `issue` returns what is wrong with the response, or undefined if the
 * response is correct.
 */
export interface Check {
  readonly issue: (answer: Answer) => string | undefined;
  readonly path: string;
  readonly shows: string;
}

const expected = ({ status }: Answer, wanted: number): string | undefined =>
  status === wanted ? undefined : `status ${String(status)}, not ${String(wanted)}`;

/**
 * Path of an order that does not exist. The response shows which release answers. To answer with
 * status 404, the service reads its database, so this status shows that the service and the
 * database work. The response of the service has the header `Service-Version`. A 404 from a load
 * balancer does not have this header. The request writes nothing. Unlike a request for the list of
 * orders, this request does not wait for other requests.
 */
export const releasePath = "orders/00000000-0000-4000-8000-000000000000";
const releaseStatus = 404;

/**
 * The checks of a stack. The requests of the checks write nothing, because the orders in production
 * are real.
 */
export const checks: readonly Check[] = [
  {
    issue: (answer) =>
      expected(answer, 200) ??
      (isList(answer.body) ? undefined : "the answer is not a list of orders"),
    path: "orders?limit=1",
    shows: "the service reads orders",
  },
  ...["health/live", "metrics"].map((path) => ({
    issue: (answer: Answer) => expected(answer, 404),
    path,
    shows: "the management port is not public",
  })),
];

function isList(body: string): boolean {
  try {
    return Array.isArray((JSON.parse(body) as { orders?: unknown }).orders);
  } catch {
    return false;
  }
}

export interface SmokeOptions {
  /** Report of a deploy. The stack must run the commit and the image in this report. */
  readonly deployed?: string;
}

/**
 * `npm run smoke -- STACK`: checks that the deployed release answers on its public URL.
 *
 * @throws UserError with the first check that failed, or if the stack runs a release other than the
 * release in the report. The command compares these releases before and after the checks.
 */
export async function smoke(
  stack: string,
  options: SmokeOptions = {},
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const deployed =
    options.deployed === undefined ? undefined : deploymentIn(options.deployed, stack);
  const { commit, url } = await running(stack, deployed, workspace);
  const version = shortCommit(commit);
  console.log(`${stack} at ${url}`);
  await release(url, version);
  for (const { issue, path, shows } of checks) {
    const answer = await answerOf(`${url}${path}`, version).catch((error: unknown) =>
      String(error),
    );
    const found = typeof answer === "string" ? answer : issue(answer);
    if (found !== undefined) {
      throw new UserError(`${url}${path}: ${found}. See: npm run sandbox -- logs, or kubectl logs`);
    }
    console.log(`  good: ${shows} (${path})`);
  }
  // Another update may have ended while the checks ran.
  await running(stack, deployed, workspace);
}

/**
 * Returns the commit and the public URL of a stack's release.
 *
 * @throws UserError if the stack runs nothing, or a release other than `deployed`
 */
async function running(
  stack: string,
  deployed: Deployment | undefined,
  workspace: Workspace,
): Promise<{ readonly commit: string; readonly url: string }> {
  const stacks = await stackNames(workspace);
  const outputs = stacks.includes(stack) ? await outputsOf(stack, workspace) : {};
  const { commit, imageRef = "", url } = outputs;
  if (url === undefined || commit === undefined) {
    throw new UserError(`Stack "${stack}" is not deployed: npm run deploy -- ${stack}`);
  }
  if (deployed !== undefined) assertStillRuns(stack, deployed, { commit, imageRef });
  return { commit, url };
}

/**
 * Sends requests until the release with this commit answers, because a canary or the next release
 * may answer some requests. Also returns a response without a version, because such a response does
 * not come from the service. If another release still answers after the longest wait, returns a
 * text that describes this.
 */
async function answerOf(url: string, commit: string): Promise<Answer | string> {
  const started = Date.now();
  for (;;) {
    const answer = await ask(url);
    if (answer.version === "" || answer.version.startsWith(commit)) return answer;
    if (Date.now() - started > patienceMs) {
      return `release "${answer.version}" still answers after ${duration(patienceMs)}, not release ${commit}`;
    }
    await sleep(pauseMs);
  }
}

/** Whether a response comes from this release, and the release works. */
export function isRelease(answer: Answer | string, commit: string): boolean {
  return works(answer) && answer.version.startsWith(commit);
}

function works(answer: Answer | string): answer is Answer {
  return typeof answer !== "string" && answer.status === releaseStatus && answer.version !== "";
}

/**
 * Waits until the release answers. Then sends further requests. All these requests must succeed,
 * including the requests that a canary answers.
 */
async function release(url: string, commit: string): Promise<void> {
  const started = Date.now();
  const answer = async (): Promise<Answer | string> =>
    ask(`${url}${releasePath}`).catch((error: unknown) => String(error));
  let last = await answer();
  while (!isRelease(last, commit)) {
    if (Date.now() - started > patienceMs) {
      throw new UserError(
        `${url} does not answer with release ${commit} after ${duration(patienceMs)}: ${shown(last)}${hint(last)}`,
      );
    }
    await sleep(pauseMs);
    last = await answer();
  }
  const more = await Promise.all(Array.from({ length: answers }, answer));
  const bad = more.find((each) => !works(each));
  if (bad !== undefined) throw new UserError(`${url} does not always answer: ${shown(bad)}`);
  const own = more.filter((each) => isRelease(each, commit)).length;
  console.log(
    `  good: release ${commit} answers ${String(own)} of ${String(answers)} requests (${releasePath}, after ${duration(Date.now() - started)})`,
  );
}

/**
 * Returns a hint if the request got no response at all. In CI, the usual cause is an internal load
 * balancer. Empty if there was a response.
 */
export function hint(answer: Answer | string): string {
  return typeof answer === "string"
    ? ". Is its load balancer internal? Then run this command inside the network of the load balancer. In CI, this needs a runner: see config/circleci.ts"
    : "";
}

function shown(answer: Answer | string): string {
  if (typeof answer === "string") return answer;
  return `status ${String(answer.status)} of version "${answer.version}"`;
}
